// Tables sort by a click on a column's title; on a narrow screen a tap on a picture enlarges it. All else works without this script.
(function () {
  "use strict";
  function key(row, column) {
    var text = row.cells[column].textContent.trim();
    if (text === "" || text === "-" || text === "diverged") { return null; }
    // Digits may stand in groups of three.
    var number = parseFloat(text.replace(/([0-9])[^0-9.eE±+-](?=[0-9]{3}(?![0-9]))/g, "$1"));
    return isNaN(number) ? text.toLowerCase() : number;
  }
  // Numbers before words; what is missing or diverged stands at the end, whichever way the others are.
  function compare(a, b, sign) {
    if (a === b) { return 0; }
    if (a === null) { return 1; }
    if (b === null) { return -1; }
    if (typeof a !== typeof b) { return typeof a === "number" ? -1 : 1; }
    return a > b ? sign : -sign;
  }
  function sort(table, head, column) {
    var up = head.getAttribute("aria-sort") !== "ascending";
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var rows = Array.prototype.map.call(table.tBodies[0].rows, function (row) { return { row: row, key: key(row, column) }; });
    rows.sort(function (a, b) { return compare(a.key, b.key, up ? 1 : -1); });
    rows.forEach(function (one) { table.tBodies[0].appendChild(one.row); });
  }
  Array.prototype.forEach.call(document.querySelectorAll("table"), function (table) {
    if (table.tBodies[0].rows.length === 1) { return; }
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, head, column); });
    });
  });
  Array.prototype.forEach.call(document.querySelectorAll("figure"), function (figure) {
    figure.addEventListener("click", function (event) {
      if (event.target.closest("svg")) { figure.classList.toggle("large"); }
    });
  });
})();
