// A JavaScript suite with the candidate in one Node.js process.
//
// Covered: leaving early, printing a marker, a suite that executes nothing, names of the suite's that the
// candidate declares as well. Not covered: a candidate that patches the language under the suite. That is
// why scores from here are labelled.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");
const strict = require("node:assert/strict");

const message = JSON.parse(readMessage());
const { report, fault } = reporter(message.report, message.nonce);
const request = message.request;
delete message.nonce;

let checks = 0;

// Pipes are asynchronous by default: an endless loop would print nothing and only hoard memory.
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);

main();

// As in python/session.py: what is read is erased, for other processes may hold the file open as well.
function readMessage() {
  const text = fs.readFileSync(0, "utf8");
  try {
    fs.ftruncateSync(0);
  } catch {
    // A pipe, or a file that can only be read.
  }
  fs.closeSync(0);
  fs.openSync("/dev/null"); // the lowest free number: standard input
  return text;
}

function main() {
  let suite;
  try {
    // A function, so that the names that count are its own, whatever the candidate calls the same.
    suite = vm.compileFunction(request.suite, ["assert", "console"], { filename: "suite.js" });
  } catch (error) {
    fault(String(error)); // the suite is ours: no verdict on the candidate
  }
  const [outcome, text] = judge(suite);
  const expected = request.expected_checks;
  if (outcome !== "passed" || checks === expected || (expected == null && checks > 0)) {
    report(outcome, text, checks, expected || 0);
  } else {
    report(checks ? "failed" : "no_tests", `${checks} checks were executed`, checks, expected || 0);
  }
}

function judge(suite) {
  const assert = counted(strict);
  const claim = (condition, ...rest) => assert.ok(condition, rest.join(" ") || undefined);
  const own = Object.create(console, { assert: { value: claim } });
  let program;
  try {
    program = new vm.Script(request.source, { filename: "candidate.js" });
  } catch (error) {
    return ["compile_error", describe(error)];
  }
  try {
    Object.assign(globalThis, moduleNames());
    program.runInThisContext();
  } catch (error) {
    return ["error", describe(error)];
  }
  try {
    suite(assert, own);
  } catch (error) {
    return [error instanceof strict.AssertionError ? "failed" : "error", describe(error)];
  }
  return ["passed", ""];
}

// What Node.js gives a file that it runs: answers export their function as they would in one of their own.
// They are not the main module, so what they do only as a program is not done.
function moduleNames() {
  const filename = path.resolve("candidate.js");
  const module = { exports: {}, filename, id: filename, children: [], loaded: false };
  return { require, module, exports: module.exports, __filename: filename, __dirname: path.dirname(filename) };
}

// node:assert/strict, with every call of it or of one of its functions counted.
function counted(assert) {
  const call = (target, self, args) => {
    checks += 1;
    return Reflect.apply(target, self, args);
  };
  const cover = { apply: call };
  return new Proxy(assert, {
    apply: call,
    get(target, name) {
      const value = target[name];
      return typeof value === "function" && name !== "AssertionError" ? new Proxy(value, cover) : value;
    },
  });
}

function reporter(descriptor, nonce) {
  const write = fs.writeSync.bind(fs);
  const leave = process.reallyExit.bind(process);
  const { stringify } = JSON;
  const encode = Buffer.from.bind(Buffer);
  const send = (said) => {
    const bytes = encode(stringify({ nonce, ...said }));
    for (let at = 0; at < bytes.length; ) at += write(descriptor, bytes, at);
    leave(0);
  };
  const report = (outcome, text, done, expected) => {
    const body = { outcome, message: text.slice(0, 1000), checks: done, expected_checks: expected, detail: {} };
    send({ report: body });
  };
  return { report, fault: (text) => send({ fault: text.slice(0, 1000) }) };
}

function describe(error) {
  try {
    return `${error.name || "Error"}: ${error.message}`.slice(0, 300);
  } catch {
    return "an error that cannot be shown";
  }
}
