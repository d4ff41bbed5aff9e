"use strict";

// A list of any length of which only the rows in sight exist. Keys move the choice.
const ROW_HEIGHT = 44;
const MARGIN_ROWS = 8;

class SampleList {
  constructor(box, rows, archive, choose) {
    Object.assign(this, { box, rows, archive, choose, items: [], chosen: -1 });
    box.addEventListener("scroll", () => this.draw());
    box.addEventListener("keydown", (event) => this.move(event));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(items) {
    this.items = items;
    this.chosen = -1;
    this.rows.style.height = `${items.length * ROW_HEIGHT}px`;
    this.box.scrollTop = 0;
    this.box.removeAttribute("aria-activedescendant");
    this.draw();
  }

  select(place, clicked = false) {
    if (!this.items.length) return;
    this.chosen = Math.max(0, Math.min(this.items.length - 1, place));
    const top = this.chosen * ROW_HEIGHT;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    const bottom = top + ROW_HEIGHT - this.box.clientHeight;
    if (bottom > this.box.scrollTop) this.box.scrollTop = bottom;
    this.draw();
    this.box.setAttribute("aria-activedescendant", `row-${this.chosen}`);
    this.choose(this.items[this.chosen], clicked);
  }

  move(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW_HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.select(this.chosen + steps[event.key]);
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_HEIGHT) - MARGIN_ROWS);
    const count = Math.ceil(this.box.clientHeight / ROW_HEIGHT) + 2 * MARGIN_ROWS;
    const last = Math.min(this.items.length, first + count);
    const drawn = [];
    for (let place = first; place < last; place += 1) drawn.push(this.row(place));
    this.rows.replaceChildren(...drawn);
  }

  row(place) {
    const at = this.items[place];
    const sample = this.archive.name(at);
    const verdict = this.archive.passed(at) ? "passed" : "failed";
    const row = element(
      "div",
      { class: "row", id: `row-${place}`, role: "option" },
      element("i", { class: verdict }, sample.outcome.replaceAll("_", " ")),
      element("b", {}, sample.problem),
      element("span", {}, `${sample.system} · ${sample.task} · seed ${sample.seed}${sample.sample ? ` #${sample.sample}` : ""}`),
    );
    row.setAttribute("aria-selected", String(place === this.chosen));
    row.setAttribute("aria-posinset", String(place + 1));
    row.setAttribute("aria-setsize", String(this.items.length));
    row.style.top = `${place * ROW_HEIGHT}px`;
    row.addEventListener("click", () => this.select(place, true));
    return row;
  }
}
