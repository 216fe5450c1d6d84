/* ---- the visitor's own points ---- */

function drawPaint() {
  if ($("painting").hidden) return;
  const [pen, w] = sheet($("paint"));
  drawPoints(pen, w);
  const [x, y] = brush.map((at, k) => (w * (1 + ((k ? -1 : 1) * at) / core.reach())) / 2);
  pen.strokeStyle = colour(Number(chosen("brush")) ? "--class-b" : "--class-a");
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 9, 0, 7);
  pen.stroke();
  $("painted").textContent = `${painted.length} of ${core.most()} points`;
}

/** A few points around the brush. */
function dab() {
  for (let i = 0; i < 4 && painted.length < core.most(); i++) {
    const [angle, radius] = [2.4 * painted.length, 0.03 * (i + 0.5)];
    painted.push([brush[0] + radius * Math.cos(angle), brush[1] + radius * Math.sin(angle), Number(chosen("brush"))]);
  }
  loadPoints();
  drawPaint();
}

function moveTo(event) {
  const box = $("paint").getBoundingClientRect();
  const reach = core.reach();
  brush = [reach * ((2 * (event.clientX - box.left)) / box.width - 1), reach * (1 - (2 * (event.clientY - box.top)) / box.height)];
}

function painting() {
  const canvas = $("paint");
  let down = false;
  let last = brush;
  canvas.addEventListener("pointerdown", (event) => {
    pause();
    down = true;
    canvas.setPointerCapture(event.pointerId);
    moveTo(event);
    last = brush;
    dab();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down) return;
    moveTo(event);
    if (Math.hypot(brush[0] - last[0], brush[1] - last[1]) > 0.06) {
      last = brush;
      dab();
    } else drawPaint();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (down) anew(`${painted.length} points. Press Start.`);
      down = false;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step) brush = brush.map((at, k) => Math.max(-1.2, Math.min(1.2, at + 0.1 * step[k])));
    else if (event.key === " ") {
      pause();
      dab();
      anew(`${painted.length} points. Press Start.`);
    } else if (event.key === "c" || event.key === "C") {
      const other = document.querySelector(`input[name="brush"][value="${1 - Number(chosen("brush"))}"]`);
      other.checked = true;
      say(`The brush paints class ${other.value === "1" ? "B" : "A"}.`);
    } else return;
    event.preventDefault();
    drawPaint();
  });
  $("clear").addEventListener("click", () => {
    painted = [];
    pause();
    restartAll();
    say("Cleared.");
  });
  document.querySelectorAll('input[name="brush"]').forEach((input) => input.addEventListener("change", drawPaint));
}

/* ---- the boards' program ---- */

const hex = (low, high) => high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");

/** A few rounds of the program; whether there are more. */
function boardSlice() {
  const end = performance.now() + SLICE;
  let said = 0;
  do said = core.board_advance(4);
  while (said === 0 && performance.now() < end);
  const words = new Uint32Array(core.memory.buffer, core.board_said(), 9);
  $("trace").textContent = hex(words[0], words[1]);
  if (said === 0) return true;
  $("params").textContent = hex(words[2], words[3]);
  const now = `${hex(words[0], words[1])} ${hex(words[2], words[3])}`;
  const loss = short(new Float32Array(words.buffer, core.board_said() + 16, 1)[0]);
  const end_words = `${words[5]} rounds, ${words[6]} steps, held-out loss ${loss}`;
  const expected = $("expected").textContent.trim();
  $("verdict").textContent = said !== 1 ? "The program has failed."
    : !expected.includes(" ") ? `Finished: ${end_words}.`
    : now === expected ? `The same bits as on the boards. ${end_words}.`
    : "Other bits than on the boards: please report this.";
  $("board").disabled = false;
  return false;
}

function runBoard() {
  $("board").disabled = true;
  $("verdict").textContent = "Running.";
  core.board_start();
  const on = () => boardSlice() && requestAnimationFrame(on);
  if (testing) while (boardSlice());
  else requestAnimationFrame(on);
}

/* ---- controls ---- */

/** A piece of a lane's line. */
function sample(lane) {
  const mark = document.createElement("span");
  mark.className = "mark";
  const style = lane.dash.length === 0 ? "solid" : lane.dash[0] > 5 ? "dashed" : "dotted";
  Object.assign(mark.style, { borderTopColor: lane.colour, borderTopStyle: style });
  return mark;
}

function build() {
  LANES.forEach((lane, i) => {
    const box = document.createElement("article");
    box.className = i === 0 ? "lane auto" : "lane";
    const head = document.createElement("h2");
    const mark = sample(lane);
    const name = document.createElement("span");
    name.textContent = `${lane.name}, ${lane.about}`;
    head.append(mark, name);
    lane.canvas = document.createElement("canvas");
    lane.canvas.setAttribute("role", "img");
    lane.canvas.setAttribute("aria-label", `What ${title(lane)} has learned: the two classes as areas of two colours`);
    lane.words = document.createElement("p");
    lane.box = box;
    box.append(head, lane.canvas, lane.words);
    $("lanes").append(box);
    const entry = document.createElement("li");
    entry.append(sample(lane), title(lane));
    $("names").append(entry);
  });
  $("weights").textContent = core.weights().toLocaleString("en");
  $("memory").textContent = `${core.bytes(0).toLocaleString("en")} bytes, all of it`;
}

function setRate() {
  const rate = 10 ** (Number($("rate").value) / 10);
  core.rate(rate);
  $("rate-value").textContent = short(rate);
  $("rate").setAttribute("aria-valuetext", short(rate));
}

function changeRate() {
  setRate();
  LANES.forEach((lane, i) => lane.rated && restart(i));
  drawAll();
  say(`Rate ${$("rate-value").textContent}: SGD and Adam begin again. auto is as it was.`);
  if (!running && core.batches(0) > 0) {
    running = true;
    buttons();
    if (!testing) requestAnimationFrame(frame);
  }
}

function changeSabotage() {
  const kind = Number(chosen("sabotage"));
  core.sabotage(kind);
  if (kind === 0) {
    sabotagedAt = null;
    say("Sabotage is off. A guard that has handed over stays with the fallback.");
  } else {
    sabotagedAt = core.batches(0);
    if (LANES[0].handed !== null) tellSabotage();
    else say(`${SABOTAGE[kind][0].toUpperCase()}${SABOTAGE[kind].slice(1)}: the guard finds out at the end of the window.`);
  }
}

function listen() {
  $("go").addEventListener("click", () => (running ? pause("Paused.") : start()));
  $("again").addEventListener("click", () => {
    pause();
    restartAll();
    start();
  });
  $("fresh").addEventListener("click", () => {
    seed = (seed % 1000) + 1;
    anew("New points.");
  });
  document.querySelectorAll('input[name="task"]').forEach((input) =>
    input.addEventListener("change", () => {
      $("painting").hidden = chosen("task") !== "paint";
      $("fresh").disabled = chosen("task") === "paint";
      anew(chosen("task") === "paint" ? "Paint some points of both classes." : "Press Start.");
    }),
  );
  document.querySelectorAll('input[name="sabotage"]').forEach((input) => input.addEventListener("change", changeSabotage));
  $("rate").addEventListener("change", changeRate);
  $("rate").addEventListener("input", () => ($("rate-value").textContent = short(10 ** (Number($("rate").value) / 10))));
  $("board").addEventListener("click", runBoard);
  dark.addEventListener("change", drawAll);
  addEventListener("resize", () => requestAnimationFrame(drawAll));
  painting();
}

function open(exports) {
  core = exports;
  build();
  setRate();
  listen();
  restartAll();
  if (testing) test();
}

if (testing) open(new WebAssembly.Instance(new WebAssembly.Module(bytesOf(WASM)), {}).exports);
else {
  WebAssembly.instantiate(bytesOf(WASM), {}).then(
    ({ instance }) => open(instance.exports),
    () => say("This browser cannot run WebAssembly here; try another one."),
  );
}
