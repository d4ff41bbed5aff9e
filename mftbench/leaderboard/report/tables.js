"use strict";

// Sorting tables by their heads, the theme, and the start of everything.
function sortValue(row, column) {
  const cell = row.cells[column];
  return cell?.dataset.value ?? cell?.textContent.trim() ?? "";
}

// A dash, where there is no number, is below all numbers.
function sortNumber(text) {
  const number = Number(text.replaceAll(",", ""));
  return text === "" || Number.isNaN(number) ? -Infinity : number;
}

function sortTable(table, column, descending) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const numeric = table.tHead.rows[0].cells[column].dataset.kind === "number";
  rows.sort((a, b) => {
    const [left, right] = [sortValue(a, column), sortValue(b, column)];
    const order = numeric ? sortNumber(left) - sortNumber(right) || 0 : left.localeCompare(right);
    return descending ? -order : order;
  });
  body.append(...rows);
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const sorted = head.getAttribute("aria-sort");
      const first = head.dataset.kind === "number"; // numbers: the highest first
      sortTable(table, column, sorted ? sorted === "ascending" : first);
    });
  });
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.getElementById("theme").addEventListener("click", switchTheme);
openSamples().catch((error) => {
  document.getElementById("count").textContent = `The samples cannot be opened: ${error.message}`;
});
