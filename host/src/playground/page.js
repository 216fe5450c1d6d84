// The page: it asks the module for a few steps in each frame, draws what has come of them, and says what has happened.

const TOTAL = 1200; // training batches of a race
const EVERY = 10; // batches from one point of a curve to the next
const LANES = [
  { name: "auto", about: "guarded, no rate", colour: "#0072b2", dash: [], guarded: true },
  { name: "Learned rule", about: "alone", colour: "#56b4e9", dash: [9, 4] },
  { name: "Fallback", about: "NGN, alone", colour: "#e69f00", dash: [] },
  { name: "Guarded SGD", about: "SGD as fallback", colour: "#cc79a7", dash: [9, 4], guarded: true, rated: true },
  { name: "SGD", about: "alone", colour: "#d55e00", dash: [], rated: true },
  { name: "Adam", about: "alone", colour: "#009e73", dash: [3, 3], rated: true },
];
const SABOTAGE = ["no sabotage", "NaN", "ascent", "inflation"];
const testing = location.hash === "#test";
const SLICE = testing ? 0 : 9; // milliseconds of training in a frame; a test goes step by step, the same on every machine
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const $ = (id) => document.getElementById(id);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;

let core; // the module's functions
let seed = 2;
let running = false;
let turn = 0; // whose field is drawn next
let drawn = 0; // when fields were drawn last
let painted = []; // [x, y, class]
let brush = [0, 0];
let sabotagedAt = null; // at which batch, while nothing has been said of it
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function say(text) {
  if ($("news").textContent !== text) $("news").textContent = text;
}

/* ---- the race ---- */

function loadPoints() {
  const task = chosen("task");
  if (task === "paint") {
    const most = core.most();
    const inputs = new Float32Array(core.memory.buffer, core.inputs(), 2 * most);
    const labels = new Uint8Array(core.memory.buffer, core.labels(), most);
    painted.forEach(([x, y, label], i) => {
      inputs.set([x, y], 2 * i);
      labels[i] = label;
    });
    return core.take(painted.length);
  }
  return task === "rings" ? core.rings(seed) : core.spirals(seed);
}

function points() {
  const count = core.count();
  return [new Float32Array(core.memory.buffer, core.inputs(), 2 * count), new Uint8Array(core.memory.buffer, core.labels(), count)];
}

/** Whether there is something to learn. */
function isReady() {
  const labels = points()[1];
  return labels.length >= 8 && labels.includes(0) && labels.includes(1);
}

function restart(i) {
  core.restart(i, seed);
  Object.assign(LANES[i], { curve: [], windows: [], broken: false, handed: null });
  note(i);
}

function restartAll() {
  loadPoints();
  sabotagedAt = Number(chosen("sabotage")) > 0 ? 0 : null;
  LANES.forEach((_, i) => restart(i));
  buttons();
  drawAll();
}

/** One point more of a lane's curve. */
function note(i) {
  const lane = LANES[i];
  lane.curve.push([core.batches(i), core.loss(i)]);
}

/** A lane runs to its next point. */
function advance(i) {
  const lane = LANES[i];
  const until = Math.min(TOTAL, (Math.floor(core.batches(i) / EVERY) + 1) * EVERY);
  while (core.batches(i) < until && !lane.broken) {
    const said = core.advance(i, until);
    if (said === 1) {
      lane.broken = true;
      lane.brokenAt = core.batches(i);
    } else if (said > 1) {
      judged(i, (said - 2) % 3, said >= 5);
    }
  }
  note(i);
}

/** A window of a guard has ended. */
function judged(i, winner, handed) {
  const lane = LANES[i];
  const ran = lane.handed === null ? 1 : 0;
  lane.windows.push({ end: core.batches(i), ran, winner });
  if (handed && lane.handed === null) lane.handed = core.batches(i);
  if (i === 0 && sabotagedAt !== null && lane.handed !== null) tellSabotage();
}

function tellSabotage() {
  const [auto] = LANES;
  const kind = SABOTAGE[Number(chosen("sabotage"))];
  if (auto.handed > sabotagedAt || sabotagedAt === 0) {
    say(`Caught at batch ${auto.handed} (${kind}): the fallback now runs from the best point so far.`);
  } else {
    say(`The fallback has been running since batch ${auto.handed}, so this sabotage (${kind}) affects only the learned rule alone.`);
  }
  sabotagedAt = null;
}

function isDone() {
  return LANES.every((lane, i) => lane.broken || core.batches(i) >= TOTAL);
}

/** The lane that is furthest behind. */
function next() {
  let found = -1;
  LANES.forEach((lane, i) => {
    if (lane.broken || core.batches(i) >= TOTAL) return;
    if (found < 0 || core.batches(i) < core.batches(found)) found = i;
  });
  return found;
}

function frame() {
  if (!running) return;
  const end = performance.now() + SLICE;
  do advance(next());
  while (performance.now() < end && !isDone());
  const now = performance.now();
  if (isDone()) finish();
  else if (now - drawn > (calm.matches ? 1000 : 30)) {
    drawn = now;
    drawSome();
  }
  if (running && !testing) requestAnimationFrame(frame);
}

function finish() {
  running = false;
  buttons();
  drawAll();
  const alive = LANES.filter((lane) => !lane.broken).map((lane) => [lane.curve.at(-1)[1], lane]);
  const [loss, best] = alive.reduce((a, b) => (b[0] < a[0] ? b : a));
  const auto = LANES[0].curve.at(-1)[1];
  // Level with the best as far as the page shows.
  const level = best !== LANES[0] && !LANES[0].broken && short(auto) === short(loss);
  const who = level ? `auto and ${title(best)} have` : `${title(best)} has`;
  const rest = best === LANES[0] || level ? "" : ` auto ended at ${short(auto)}.`;
  const news = $("news").textContent.startsWith("Caught") ? `${$("news").textContent} ` : "";
  say(`${news}Finished: ${who} the lowest loss, ${short(loss)}.${rest}`);
}

const title = (lane) => (lane.guarded ? lane.name : `${lane.name} alone`);
const short = (x) => (!Number.isFinite(x) ? "not finite" : x >= 1e4 || x < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(2))));

function start() {
  if (!isReady()) {
    say("Paint points of both classes first, four of each or more.");
    return;
  }
  if (isDone()) restartAll();
  running = true;
  buttons();
  say("Training.");
  if (!testing) requestAnimationFrame(frame);
}

/** What the buttons do now. */
function buttons() {
  const begun = core.batches(0) > 0;
  $("go").textContent = running ? "Pause" : isDone() ? "Run again" : begun ? "Go on" : "Start";
  $("again").disabled = !begun;
  // The first button does the same then.
  $("again").hidden = isDone() && !running;
}

function pause(words) {
  running = false;
  buttons();
  if (words) say(words);
}

/** Everything begins again; goes on by itself if it was running. */
function anew(words) {
  const was = running;
  pause();
  restartAll();
  say(words);
  if (was && isReady()) start();
}

/* ---- pictures ---- */

/** A canvas as sharp as the screen; returns its context and size. */
function sheet(canvas) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const [w, h] = [canvas.clientWidth || 160, canvas.clientHeight || 160];
  if (canvas.width !== Math.round(w * ratio)) canvas.width = Math.round(w * ratio);
  if (canvas.height !== Math.round(h * ratio)) canvas.height = Math.round(h * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, w, h);
  return [pen, w, h];
}

function drawPoints(pen, w) {
  const [inputs, labels] = points();
  const [a, b, reach] = [colour("--class-a"), colour("--class-b"), core.reach()];
  const r = Math.max(1.3, w / 110);
  labels.forEach((label, i) => {
    const x = (w * (inputs[2 * i] / reach + 1)) / 2;
    const y = (w * (1 - inputs[2 * i + 1] / reach)) / 2;
    pen.fillStyle = label ? b : a;
    pen.beginPath();
    if (label) pen.rect(x - r, y - r, 2 * r, 2 * r);
    else pen.arc(x, y, r, 0, 7);
    pen.fill();
  });
}

const small = document.createElement("canvas");

function drawField(i) {
  const cells = core.cells();
  const field = new Float32Array(core.memory.buffer, core.field(i), cells * cells);
  small.width = small.height = cells;
  const inner = small.getContext("2d");
  const image = inner.createImageData(cells, cells);
  const paper = dark.matches ? [34, 37, 42] : [255, 255, 255];
  const ends = dark.matches ? [[20, 84, 128], [140, 72, 14]] : [[122, 184, 222], [243, 178, 104]];
  for (let y = 0; y < cells; y++) {
    for (let x = 0; x < cells; x++) {
      const p = field[(cells - 1 - y) * cells + x];
      const end = ends[p > 0.5 ? 1 : 0];
      const strength = Math.abs(2 * p - 1) || 0;
      for (let c = 0; c < 3; c++) image.data[4 * (y * cells + x) + c] = paper[c] + (end[c] - paper[c]) * strength;
      image.data[4 * (y * cells + x) + 3] = 255;
    }
  }
  inner.putImageData(image, 0, 0);
  const [pen, w] = sheet(LANES[i].canvas);
  pen.drawImage(small, 0, 0, w, w);
  drawPoints(pen, w);
}

function drawWords(i) {
  const lane = LANES[i];
  const loss = lane.curve.at(-1)[1];
  lane.box.classList.toggle("broken", lane.broken);
  const side = lane.guarded ? (lane.handed === null ? "Learned rule runs." : `Fallback since batch ${lane.handed}.`) : "";
  const text = core.count() === 0
    ? "No points yet."
    : lane.broken
    ? `Broke at batch ${lane.brokenAt}: a step was not finite.`
    : `Loss ${short(loss)}, ${Math.round(100 * core.right(i))} % right. ${side}`;
  if (lane.words.textContent !== text) lane.words.textContent = text;
}

/** Marks of the axis of losses: 1, 2 and 5 times powers of ten where there is room, else powers. */
function marks(low, high) {
  const all = [];
  for (let k = Math.floor(low); k <= Math.ceil(high); k++) all.push(...(high - low < 2.2 ? [1, 2, 5] : [1]).map((m) => Math.log10(m) + k));
  const inside = all.filter((y) => y >= low - 1e-9 && y <= high + 1e-9);
  return inside.filter((_, i) => i % Math.ceil(inside.length / 8) === 0);
}

function drawCurves() {
  const [pen, w, h] = sheet($("curves"));
  const [left, right, top, bottom] = [52, 14, 10, 34];
  const all = LANES.flatMap((lane) => lane.curve.map(([, loss]) => loss)).filter((loss) => loss > 0 && Number.isFinite(loss));
  const low = Math.max(-6, Math.log10(Math.min(0.5, ...all)) - 0.05);
  const high = Math.min(2, Math.log10(Math.max(1, ...all)) + 0.05);
  const x = (batch) => left + ((w - left - right) * batch) / TOTAL;
  const y = (loss) => top + ((h - top - bottom) * (high - Math.min(high, Math.max(low, Math.log10(loss || 1e-9))))) / (high - low);
  pen.font = "13px Helvetica, Arial, sans-serif";
  pen.fillStyle = colour("--soft");
  pen.strokeStyle = colour("--line");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const mark of marks(low, high)) {
    const at = y(10 ** mark);
    pen.beginPath();
    pen.moveTo(left, at);
    pen.lineTo(w - right, at);
    pen.stroke();
    pen.fillText(short(10 ** mark), left - 6, at);
  }
  pen.textBaseline = "alphabetic";
  for (let batch = 0; batch <= TOTAL; batch += 300) {
    pen.textAlign = batch === TOTAL ? "right" : "center";
    pen.fillText(batch === 0 ? "0" : String(batch), batch === TOTAL ? x(batch) + 8 : x(batch), h - 18);
  }
  pen.textAlign = "center";
  pen.fillText("training batches", (left + w - right) / 2, h - 3);
  // auto last, on top of all others.
  for (const lane of [...LANES].reverse()) {
    pen.strokeStyle = lane.colour;
    pen.lineWidth = lane === LANES[0] ? 3.5 : 2;
    pen.setLineDash(lane.dash);
    pen.beginPath();
    lane.curve.forEach(([batch, loss], i) => (i ? pen.lineTo(x(batch), y(loss)) : pen.moveTo(x(batch), y(loss))));
    pen.stroke();
    pen.setLineDash([]);
    if (lane.broken) {
      const [bx, by] = [x(lane.curve.at(-1)[0]), y(lane.curve.at(-1)[1])];
      pen.beginPath();
      for (const sign of [1, -1]) {
        pen.moveTo(bx - 6, by - 6 * sign);
        pen.lineTo(bx + 6, by + 6 * sign);
      }
      pen.stroke();
    }
  }
  $("curves").setAttribute("aria-label", `Loss after ${core.batches(0)} batches: ${LANES.map((lane) => `${title(lane)} ${lane.broken ? "broken" : short(lane.curve.at(-1)[1])}`).join(", ")}.`);
}

function drawStrip() {
  const { windows, handed } = LANES[0];
  let begin = 0;
  const parts = windows.map(({ end, ran, winner }) => {
    const part = document.createElement("i");
    part.className = winner === 2 ? "neither" : ran ? "learned" : "fallback";
    // A lost race keeps the fallback's point.
    if (winner === 0) part.className = "fallback";
    Object.assign(part.style, { left: `${(100 * begin) / TOTAL}%`, width: `${(100 * (end - begin)) / TOTAL}%` });
    begin = end;
    return part;
  });
  if (core.batches(0) > begin) {
    const under = document.createElement("i");
    under.className = "under";
    Object.assign(under.style, { left: `${(100 * begin) / TOTAL}%`, width: `${(100 * (core.batches(0) - begin)) / TOTAL}%` });
    parts.push(under);
  }
  $("strip").replaceChildren(...parts);
  const kept = windows.filter(({ winner }) => winner !== 2).length;
  const words = windows.length === 0 ? "" : handed === null
    ? `It is still running after ${windows.length} windows.`
    : `The fallback has been running since batch ${handed}.`;
  $("strip-words").textContent = words;
  $("strip").setAttribute("aria-label", `${windows.length} windows, a new point kept in ${kept}. ${words}`);
}

function drawRest() {
  drawCurves();
  drawStrip();
  LANES.forEach((_, i) => drawWords(i));
  if (running) buttons();
  $("progress").value = (1000 * core.batches(0)) / TOTAL;
}

/** One field and the curves: what a frame has time for. */
function drawSome() {
  turn = (turn + 1) % LANES.length;
  drawField(turn);
  drawRest();
}

function drawAll() {
  LANES.forEach((_, i) => drawField(i));
  drawRest();
  drawPaint();
}
