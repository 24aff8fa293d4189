import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import type { Load, Loaded } from "./load.ts";
import { seed, seededToken } from "./seed.ts";
import { checkRequest } from "./session-check.ts";
import { createPeople, signInLoad } from "./sign-ins.ts";
import { figure, median, type Row } from "./table.ts";

/** Checks per second at which latency is looked at: a busy application, far from what the machine can do. */
const checksPerSecond = 500;

/** How long session checks take while every core is asked to hash passwords. */
export async function flood(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "flood.db");
  await seed(path, 1_000);
  await createPeople(path);
  const [server, checks, signIns] = await Promise.all([
    startChild("contenders/latchkey.ts", [path]),
    startChild("load.ts", []),
    startChild("load.ts", []),
  ]);
  const requests = Array.from({ length: 1_000 }, (_, index) => checkRequest(seededToken(index)));
  const wanted: Load = {
    port: server.ready.port ?? 0,
    requests,
    connections: 16,
    seconds: effort.seconds,
    perSecond: checksPerSecond,
  };
  const idle: Loaded[] = [];
  const flooded: Loaded[] = [];
  for (let round = -1; round < effort.rounds; round++) {
    const quiet = await checks.ask<Loaded>(wanted);
    const flooding = signIns.ask<Loaded>(signInLoad(server, effort.seconds));
    const busy = await checks.ask<Loaded>(wanted);
    await flooding;
    if (round < 0) continue;
    idle.push(quiet);
    flooded.push(busy);
  }
  await Promise.all([server, checks, signIns].map((child) => child.stop()));
  await rm(folder, { recursive: true });
  const ratio = median(flooded.map(({ p99 }, round) => p99 / (idle[round]?.p99 ?? 1)));
  return [row("idle", idle, "1"), row("while sign-ins flood", flooded, figure(ratio))];
}

function row(name: string, loaded: readonly Loaded[], ratio: string): Row {
  return {
    [`session checks, ${checksPerSecond}/s`]: name,
    "p50 ms": figure(median(loaded.map(({ p50 }) => p50))),
    "p99 ms": figure(median(loaded.map(({ p99 }) => p99))),
    "of idle p99": ratio,
  };
}
