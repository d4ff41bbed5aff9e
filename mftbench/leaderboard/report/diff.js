"use strict";

// Two texts side by side, aligned by their longest common subsequence of lines.
const DIFF_CELLS = 4_000_000; // beyond this many line pairs, lines are put side by side as they are

function aligned(left, right) {
  const a = left.split("\n");
  const b = right.split("\n");
  if (a.length * b.length > DIFF_CELLS) {
    return Array.from({ length: Math.max(a.length, b.length) }, (_, at) => [a[at], b[at]]);
  }
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return paired(a, b, lengths);
}

function paired(a, b, lengths) {
  const rows = [];
  let gone = [];
  let fresh = [];
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, fresh.length); at += 1) rows.push([gone[at], fresh[at]]);
    gone = [];
    fresh = [];
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      flush();
      rows.push([a[i], b[j]]);
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      gone.push(a[i]);
      i += 1;
    } else {
      fresh.push(b[j]);
      j += 1;
    }
  }
  flush();
  return rows;
}

function diffView(left, right, leftName, rightName) {
  const view = element("div", { class: "diff" }, element("strong", {}, leftName), element("strong", {}, rightName));
  for (const [a, b] of aligned(left, right)) {
    const same = a === b;
    view.append(
      element("pre", { class: a === undefined ? "none" : same ? "" : "gone" }, a ?? ""),
      element("pre", { class: b === undefined ? "none" : same ? "" : "new" }, b ?? ""),
    );
  }
  return view;
}
