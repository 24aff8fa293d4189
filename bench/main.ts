import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { abuse } from "./abuse.ts";
import { apiKeyCheck } from "./api-key-check.ts";
import { bundle } from "./bundle.ts";
import { coldStart } from "./cold-start.ts";
import type { Effort } from "./effort.ts";
import { flood } from "./flood.ts";
import { jwtCheck } from "./jwt-check.ts";
import { memoryUse } from "./memory-use.ts";
import { redisCheck } from "./redis-check.ts";
import { sessionCheck } from "./session-check.ts";
import { signIns } from "./sign-ins.ts";
import { statelessCheck } from "./stateless-check.ts";
import { storeNames, stores } from "./stores.ts";
import { printTable, type Row } from "./table.ts";

type Section = (effort: Effort) => Promise<readonly Row[]> | AsyncIterable<Row>;

const sections: Readonly<Record<string, Section>> = {
  "session-check": sessionCheck,
  "redis-check": redisCheck,
  "stateless-check": statelessCheck,
  "jwt-check": jwtCheck,
  "api-key-check": apiKeyCheck,
  stores,
  "sign-ins": signIns,
  flood,
  "cold-start": coldStart,
  memory: memoryUse,
  abuse,
  bundle,
};

const help = `npm run bench -- [section …] [--quick]
npm run bench -- stores [--only <store>,…] [--sessions <count>,…] [--quick]

Sections; all of them where none is named:
  ${Object.keys(sections).join(", ")}

  --quick      shows that it runs; figures to quote come without it
  --only       measures these stores alone: ${storeNames.join(", ")}
  --sessions   with so many sessions in them; 10000,100000,1000000 by default
  --help       prints this`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean" },
    quick: { type: "boolean" },
    only: { type: "string", multiple: true, default: [] },
    sessions: { type: "string", multiple: true, default: [] },
  },
});
const listed = (texts: readonly string[]): readonly string[] => texts.flatMap((text) => text.split(","));
const [onlyStores, sizes] = [listed(values.only), listed(values.sessions)];

// What was asked for and cannot be done, or null.
function complaint(): string | null {
  const noSection = positionals.filter((name) => !(name in sections));
  if (noSection.length > 0) return `No such section: ${noSection.join(", ")}.`;
  const noStore = onlyStores.filter((name) => !storeNames.includes(name));
  if (noStore.length > 0) return `No such store: ${noStore.join(", ")}.`;
  const noCount = sizes.filter((size) => !/^[1-9]\d{2,8}$/.test(size));
  if (noCount.length > 0) return `Not a number of sessions, 100 or more: ${noCount.join(", ")}.`;
  const isOfStores = positionals.length === 1 && positionals[0] === "stores";
  if (onlyStores.length + sizes.length > 0 && !isOfStores) return "--only and --sessions are for: stores.";
  return null;
}

const wrong = complaint();
if (values.help) {
  console.log(help);
} else if (wrong !== null) {
  console.error(`${wrong}\n\n${help}`);
  process.exitCode = 2;
} else {
  const amount = values.quick
    ? { rounds: 1, seconds: 1, manySessions: 20_000 }
    : { rounds: 5, seconds: 3, manySessions: 1_000_000 };
  const effort: Effort = { ...amount, onlyStores, storeSizes: sizes.map(Number) };
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores; ${effort.rounds} rounds of ${effort.seconds} s, medians.`,
  );
  for (const [name, run] of Object.entries(sections)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(`\n## ${name}`);
    await printTable(await run(effort));
  }
}
