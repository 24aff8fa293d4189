import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { coldStart } from "./cold-start.ts";
import type { Effort } from "./effort.ts";
import { flood } from "./flood.ts";
import { memoryUse } from "./memory-use.ts";
import { redisCheck } from "./redis-check.ts";
import { sessionCheck } from "./session-check.ts";
import { signIns } from "./sign-ins.ts";
import { stores } from "./stores.ts";
import { printTable, type Row } from "./table.ts";

const sections: Readonly<Record<string, (effort: Effort) => Promise<readonly Row[]>>> = {
  "session-check": sessionCheck,
  "redis-check": redisCheck,
  stores,
  "sign-ins": signIns,
  flood,
  "cold-start": coldStart,
  memory: memoryUse,
  bundle,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" } },
});
const effort: Effort = values.quick
  ? { rounds: 1, seconds: 1, manySessions: 20_000 }
  : { rounds: 5, seconds: 3, manySessions: 1_000_000 };

const unknown = positionals.filter((name) => !(name in sections));
if (unknown.length > 0) {
  console.error(`No such section: ${unknown.join(", ")}. There are: ${Object.keys(sections).join(", ")}.`);
  process.exitCode = 2;
} else {
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores; ${effort.rounds} rounds of ${effort.seconds} s, medians.`,
  );
  for (const [name, run] of Object.entries(sections)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(`\n## ${name}`);
    printTable(await run(effort));
  }
}
