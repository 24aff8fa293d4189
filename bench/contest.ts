import { setTimeout as sleep } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import type { Load, Loaded } from "./load.ts";
import { figure, median, type Row } from "./table.ts";

/** A server in a comparison, and the requests that it is asked. */
export interface Contender {
  readonly name: string;
  readonly server: Child;
  readonly requests: readonly string[];
  readonly figures: { perSecond: number[]; cpu: number[]; p99: number[] };
}

/** Starts `contenders/<file>` as a process of its own. */
export async function contender(
  name: string,
  [file, ...args]: readonly [string, ...string[]],
  requests: readonly string[],
): Promise<Contender> {
  const server = await startChild(`contenders/${file}`, args);
  return { name, server, requests, figures: { perSecond: [], cpu: [], p99: [] } };
}

/**
 * Lets contenders take turns under the same load, stops them, and answers a row for each; the first is what shares are of.
 *
 * @param about - what is the same for all of them
 * @param what - what is measured: the head of the first column
 */
export async function contest(
  effort: Effort,
  contenders: readonly Contender[],
  about: Row = {},
  what = "session check",
): Promise<readonly Row[]> {
  const load = await startChild("load.ts", []);
  for (let round = -1; round < effort.rounds; round++) {
    for (const each of contenders) await turn(load, each, effort.seconds, round >= 0);
  }
  await Promise.all([load, ...contenders.map(({ server }) => server)].map((child) => child.stop()));
  const bare = contenders[0]?.figures.perSecond ?? [];
  return contenders.map(({ name, figures }) => ({
    [what]: name,
    ...about,
    "checks/s": figure(median(figures.perSecond)),
    "of bare": figure(median(figures.perSecond.map((perSecond, round) => perSecond / (bare[round] ?? 1)))),
    "server CPU µs": figure(median(figures.cpu)),
    "p99 ms": figure(median(figures.p99)),
  }));
}

/** Longer than uses of sessions are gathered before they are written. */
const restMs = 300;
/** Processor time in that while that still counts as rest. */
const restMicroseconds = 15_000;

// What a contender writes after its answers is its own cost, and must not slow down whoever comes next.
async function atRest(server: Child): Promise<{ cpuMicroseconds: number }> {
  let before = await server.ask<{ cpuMicroseconds: number }>("cpu");
  for (;;) {
    await sleep(restMs);
    const now = await server.ask<{ cpuMicroseconds: number }>("cpu");
    if (now.cpuMicroseconds - before.cpuMicroseconds < restMicroseconds) return now;
    before = now;
  }
}

async function turn(
  load: Child,
  { name, server, requests, figures }: Contender,
  seconds: number,
  counts: boolean,
): Promise<void> {
  const before = await server.ask<{ cpuMicroseconds: number }>("cpu");
  const wanted: Load = { port: server.ready.port ?? 0, requests, connections: 32, seconds };
  const loaded = await load.ask<Loaded>(wanted);
  const after = await atRest(server);
  if (loaded.failed > 0) throw new Error(`${name}: ${loaded.failed} requests were refused`);
  if (!counts) return;
  figures.perSecond.push(loaded.perSecond);
  figures.cpu.push((after.cpuMicroseconds - before.cpuMicroseconds) / (loaded.perSecond * seconds));
  figures.p99.push(loaded.p99);
}
