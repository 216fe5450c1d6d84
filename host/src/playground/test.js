/* ---- the page tries itself, where its address ends in #test: tests/tests/playground.rs reads what comes of it ---- */

function test() {
  const results = {};
  const choose = (name, value) => {
    const input = document.querySelector(`input[name="${name}"][value="${value}"]`);
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const run = (batches = TOTAL) => {
    while (running && core.batches(0) < batches) frame();
    while (running && batches === TOTAL) frame();
  };
  const lanes = () => LANES.map((lane, i) => ({
    loss: lane.curve.at(-1)[1], right: core.right(i), broken: lane.broken, handed: lane.handed, batches: core.batches(i), windows: lane.windows.length,
  }));
  try {
    $("go").click();
    run();
    results.race = lanes();
    results.finished = $("news").textContent;
    $("rate").value = 10;
    $("rate").dispatchEvent(new Event("change"));
    run();
    results.other_rate = lanes();
    for (const [kind, name] of [[1, "nan"], [2, "ascent"], [3, "inflation"]]) {
      choose("sabotage", 0);
      $("again").click();
      run(300);
      const before = lanes()[0].loss;
      choose("sabotage", kind);
      run();
      results[name] = { before, lanes: lanes(), news: $("news").textContent };
    }
    choose("sabotage", 0);
    choose("task", "paint");
    for (const [key, times] of [["ArrowLeft", 6], [" ", 8], ["c", 1], ["ArrowRight", 12], [" ", 8]]) {
      for (let i = 0; i < times; i++) $("paint").dispatchEvent(new KeyboardEvent("keydown", { key }));
    }
    $("go").click();
    run();
    results.painted = lanes();
    choose("task", "spirals");
    $("go").click();
    run(300);
    choose("sabotage", 1);
    run();
    $("board").click();
    results.trace = $("trace").textContent;
    results.params = $("params").textContent;
    results.verdict = $("verdict").textContent;
    results.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  } catch (error) {
    errors.push(`${error} ${error.stack}`);
  }
  results.errors = errors;
  const report = document.createElement("pre");
  report.id = "selftest";
  report.hidden = true;
  report.textContent = JSON.stringify(results);
  document.body.append(report);
}
