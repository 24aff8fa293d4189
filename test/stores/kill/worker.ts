// A process that works on stores until it is killed: `node worker.ts <place as JSON> <seed>`.

import { systemClock, systemRandom } from "../../../src/services/system.ts";
import { fixtures } from "../../../src/testing/fixtures.ts";
import { chance } from "./chance.ts";
import { openStores, type Place } from "./engines.ts";
import { birth, nextStep, type State, type Step, stateOf } from "./steps.ts";

/** What the process prints before a transaction, with the state that it leads to, and once it is acknowledged. */
export type WorkerLine =
  | { readonly kind: "begins"; readonly after: State }
  | { readonly kind: "acknowledged"; readonly userId: string };

const LANES = 4;
const STEPS_OF_A_LIFE = 25;
const [, , place = "", seed = ""] = process.argv;
const { stores } = openStores(JSON.parse(place) as Place);
const make = fixtures(systemClock(), systemRandom());

await Promise.all(Array.from({ length: LANES }, (_, lane) => work(`${seed}-${lane}`)));

/** One user after the other, each with one transaction at a time; lanes run beside each other. */
async function work(lane: string): Promise<void> {
  const draw = chance(lane);
  for (let lives = 0; ; lives++) {
    let { after } = await run(birth(make, `u${lane}-${lives}`));
    for (let turn = 0; turn < STEPS_OF_A_LIFE; turn++) {
      ({ after } = await run(nextStep(after, make, draw, turn)));
    }
  }
}

async function run(step: Step): Promise<Step> {
  const after = stateOf(step.after);
  await print({ kind: "begins", after });
  const call = { now: new Date(), signal: AbortSignal.timeout(10_000) };
  const result = await stores.directory.commit(step.writes, call);
  if (!result.ok) throw new Error(`${result.refused}: ${JSON.stringify(step.writes)}`);
  await print({ kind: "acknowledged", userId: after.userId });
  return step;
}

/** Resolves when the system has the line: where nobody reads for a while, lines wait in the process and die with it. */
function print(line: WorkerLine): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));
}
