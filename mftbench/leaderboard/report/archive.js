"use strict";

// The samples lie in this page as compressed blocks; a block is inflated when it is looked at.
async function inflate(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(packed, (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

class Archive {
  static async open() {
    return new Archive(await inflate("index"));
  }

  constructor(index) {
    Object.assign(this, index);
    this.size = this.columns.task.length;
    this.places = new Map();
    for (let at = 0; at < this.size; at += 1) this.places.set(this.place(at, this.columns.system[at]), at);
    this.starts = [];
    let start = 0;
    for (const length of this.blocks) {
      this.starts.push(start);
      start += length;
    }
    this.inflated = new Map();
  }

  // One sample of one system by what it answers.
  place(at, system, seed = this.columns.seed[at]) {
    const { task, problem, sample } = this.columns;
    return `${system} ${task[at]} ${problem[at]} ${seed} ${sample[at]}`;
  }

  // The same question answered by another system: with the same seed, else with any that it has.
  twin(at, system) {
    const same = this.places.get(this.place(at, system));
    if (same !== undefined) return same;
    for (const seed of this.seeds) {
      const other = this.places.get(this.place(at, system, seed));
      if (other !== undefined) return other;
    }
    return undefined;
  }

  get seeds() {
    this.knownSeeds ??= [...new Set(this.columns.seed)].sort((a, b) => a - b);
    return this.knownSeeds;
  }

  passed(at) {
    return this.outcomes[this.columns.outcome[at]] === "passed";
  }

  name(at) {
    return {
      task: this.tasks[this.columns.task[at]],
      problem: this.problems[this.columns.problem[at]],
      system: this.systems[this.columns.system[at]],
      outcome: this.outcomes[this.columns.outcome[at]],
      seed: this.columns.seed[at],
      sample: this.columns.sample[at],
      tokens: this.columns.tokens[at],
    };
  }

  async sample(at) {
    let block = this.starts.length - 1;
    while (this.starts[block] > at) block -= 1;
    if (!this.inflated.has(block)) this.inflated.set(block, inflate(`block-${block}`));
    const { samples, questions } = await this.inflated.get(block);
    const question = questions[`${this.columns.task[at]}/${this.columns.problem[at]}`];
    return { ...this.name(at), ...samples[at - this.starts[block]], question };
  }
}
