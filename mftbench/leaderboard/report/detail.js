"use strict";

// One sample, or two that answer the same: prompt, completion, program, output, verdict.
function detailView(sample, other) {
  const sides = other ? [sample, other] : [sample];
  const parts = [element("h3", {}, sample.problem), verdicts(sides)];
  if (sample.question) parts.push(part("Prompt", sample.question[0]));
  if (other) {
    parts.push(element("h4", {}, "Completions"), diffView(sample.text, other.text, sample.system, other.system));
  } else {
    parts.push(part("Completion", sample.text));
  }
  if (sample.question) parts.push(folded("Gold answer", sample.question[1]));
  for (const side of sides) {
    const of = other ? ` of ${side.system}` : "";
    if (side.output) parts.push(folded(`Output${of}`, side.output, !other));
    if (side.program) parts.push(folded(`Program${of}`, side.program));
  }
  return parts;
}

function verdicts(sides) {
  const list = element("p");
  for (const side of sides) {
    const facts = [side.task, `seed ${side.seed}`, `sample ${side.sample}`, `${side.tokens} tokens`];
    if (side.scores) facts.push(side.scores);
    if (side.in_process) facts.push("checker in the candidate's process");
    const verdict = element("strong", { class: side.outcome === "passed" ? "passed" : "failed" }, side.outcome.replaceAll("_", " "));
    list.append(element("span", {}, `${side.system}: `), verdict);
    list.append(element("span", {}, ` ${side.reason ? `(${side.reason}) ` : ""}· ${facts.join(" · ")}`), element("br"));
  }
  return list;
}

function part(title, text) {
  return element("div", {}, element("h4", {}, title), element("pre", {}, text || "(empty)"));
}

function folded(title, text, open = false) {
  return element("details", { open }, element("summary", {}, title), element("pre", {}, text || "(empty)"));
}
