// Prints `N passed, N failed[, N skipped]` from the results that vitest wrote: `node tools/count-tests.mjs <file>`.
// Runs on the host's own Node, after a failed install too.

import { readFileSync } from "node:fs";

const results = read(process.argv[2]);
const files = results.testResults;
// A file that cannot be loaded has no tests to count as failed; it counts as one.
const unloadable = files.filter(
  (file) => file.status === "failed" && file.assertionResults.length === 0,
).length;
const skipped = results.numPendingTests + results.numTodoTests;
const line = `${results.numPassedTests} passed, ${results.numFailedTests + unloadable} failed`;
console.log(skipped === 0 ? line : `${line}, ${skipped} skipped`);

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    console.error("no test ran: the step before them failed");
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  }
}
