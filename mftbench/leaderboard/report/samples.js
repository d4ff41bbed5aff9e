"use strict";

// The viewer: filters narrow the list, the choice fills the detail.
class Viewer {
  constructor(archive) {
    this.archive = archive;
    this.form = document.getElementById("filters");
    this.detail = document.getElementById("detail");
    this.list = new SampleList(document.getElementById("list"), document.getElementById("rows"), archive, (at, clicked) => this.open(at, clicked));
    this.fill("task", archive.tasks);
    this.fill("a", archive.systems);
    this.fill("b", archive.systems);
    this.fill("outcome", archive.outcomes);
    this.fill("seed", archive.seeds.map(String), (place) => archive.seeds[place]);
    this.form.addEventListener("input", () => this.filter());
    this.form.addEventListener("reset", () => setTimeout(() => this.filter()));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.filter();
  }

  fill(id, names, value = (place) => place) {
    const select = document.getElementById(id);
    names.forEach((name, place) => select.append(element("option", { value: String(value(place)) }, name)));
  }

  get(id) {
    const { value } = document.getElementById(id);
    return value === "" ? null : Number(value);
  }

  filter() {
    const { archive } = this;
    const b = this.get("b");
    const relation = document.getElementById("relation");
    relation.disabled = b === null;
    const wanted = relation.disabled ? "" : relation.value;
    const search = document.getElementById("search").value.toLowerCase();
    const fixed = [["task", "task"], ["a", "system"], ["outcome", "outcome"], ["seed", "seed"]]
      .map(([id, column]) => [archive.columns[column], this.get(id)])
      .filter(([, value]) => value !== null);
    const found = [];
    for (let at = 0; at < archive.size; at += 1) {
      if (!fixed.every(([column, value]) => column[at] === value)) continue;
      if (search && !archive.problems[archive.columns.problem[at]].toLowerCase().includes(search)) continue;
      if (wanted && !this.related(at, b, wanted)) continue;
      found.push(at);
    }
    document.getElementById("count").textContent = `${found.length} of ${archive.size} samples`;
    this.list.show(found);
  }

  related(at, b, wanted) {
    const twin = this.archive.twin(at, b);
    if (twin === undefined || twin === at) return false;
    return this.archive.passed(at) === (wanted[0] === "1") && this.archive.passed(twin) === (wanted[1] === "1");
  }

  async open(at, clicked) {
    const b = this.get("b");
    const twin = b === null ? undefined : this.archive.twin(at, b);
    const sides = [this.archive.sample(at)];
    if (twin !== undefined && twin !== at) sides.push(this.archive.sample(twin));
    this.opened = at;
    const [sample, other] = await Promise.all(sides);
    if (this.opened !== at) return; // somebody was faster
    this.detail.replaceChildren(...detailView(sample, other));
    this.detail.scrollTop = 0;
    const below = this.detail.getBoundingClientRect().top >= this.list.box.getBoundingClientRect().bottom;
    if (below && clicked) this.detail.scrollIntoView(); // on a phone the detail stands under the list
  }

  // Show the samples behind a number of a table.
  trace({ task, system, seed }) {
    this.form.reset();
    const places = [this.archive.tasks.indexOf(task), this.archive.systems.indexOf(system)];
    if (places.includes(-1)) {
      document.getElementById("count").textContent = `The store had no samples of ${system} on ${task}`;
      this.list.show([]);
      document.getElementById("samples").scrollIntoView();
      return;
    }
    document.getElementById("task").value = String(places[0]);
    document.getElementById("a").value = String(places[1]);
    if (seed !== undefined) document.getElementById("seed").value = seed;
    setTimeout(() => {
      this.filter();
      document.getElementById("samples").scrollIntoView();
      this.list.box.focus({ preventScroll: true });
    });
  }
}

async function openSamples() {
  if (!document.getElementById("filters")) return;
  const viewer = new Viewer(await Archive.open());
  for (const button of document.querySelectorAll(".trace")) {
    button.addEventListener("click", () => viewer.trace(button.dataset));
  }
}
