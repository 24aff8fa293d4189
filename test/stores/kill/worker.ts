// A process that works on stores until it is killed: `node worker.ts <place as JSON> <seed>`.

import type { StoreCall } from "../../../src/ports/store.ts";
import { systemClock, systemRandom } from "../../../src/services/system.ts";
import { fixtures } from "../../../src/testing/fixtures.ts";
import { chance } from "./chance.ts";
import { openStores, type Place } from "./engines.ts";
import { birth, type Life, nextStep, type State, type Step, stateOf } from "./steps.ts";

/** What the process prints before a transaction, with the states that it leads to, and once it is acknowledged. */
export type WorkerLine =
  | { readonly kind: "begins"; readonly after: State; readonly halfway: readonly State[] }
  | { readonly kind: "acknowledged"; readonly userId: string };

/** So many users are somewhere in a transaction at the moment of the kill. */
const LANES = 16;
const STEPS_OF_A_LIFE = 25;
const [, , place = "", seed = ""] = process.argv;
const { stores } = await openStores(JSON.parse(place) as Place);
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
  await print({ kind: "begins", after, halfway: step.halfway.map(stateOf) });
  const result = await stores.directory.commit(step.writes, call());
  if (!result.ok) throw new Error(`${result.refused}: ${JSON.stringify(step.writes)}`);
  await print({ kind: "acknowledged", userId: after.userId });
  await check(step.after);
  return step;
}

/** Leaves a copy of the user beside their sessions, where the engine keeps such: the next change must not be hidden by it. */
async function check({ sessions }: Life): Promise<void> {
  const newest = sessions.at(-1);
  if (newest === undefined) return;
  const [found] = await stores.sessions.find([newest.id], call());
  const isAccepted = found?.expired === false && found.user?.generation === found.session.generation;
  if (!isAccepted) throw new Error(`${newest.id} is not accepted any more`);
}

function call(): StoreCall {
  return { now: new Date(), signal: AbortSignal.timeout(10_000) };
}

/** Resolves when the system has the line: where nobody reads for a while, lines wait in the process and die with it. */
function print(line: WorkerLine): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));
}
