import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
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
  const [checks, signIns] = await Promise.all([startChild("load.ts", []), startChild("load.ts", [])]);
  const contenders: Contender[] = [];
  for (const name of ["minimum", "latchkey"]) {
    const path = join(folder, `${name}.db`);
    await seed(path, 1_000);
    await createPeople(path);
    contenders.push({
      name,
      server: await startChild(`contenders/${name}.ts`, [path]),
      idle: [],
      flooded: [],
    });
  }
  for (let round = -1; round < effort.rounds; round++) {
    for (const { server, idle, flooded } of contenders) {
      const wanted = checksOf(server, effort.seconds);
      const quiet = await checks.ask<Loaded>(wanted);
      const flooding = signIns.ask<Loaded>(signInLoad(server, effort.seconds));
      const busy = await checks.ask<Loaded>(wanted);
      await flooding;
      if (round < 0) continue;
      idle.push(quiet);
      flooded.push(busy);
    }
  }
  await Promise.all(
    [checks, signIns, ...contenders.map(({ server }) => server)].map((child) => child.stop()),
  );
  await rm(folder, { recursive: true });
  return contenders.flatMap(({ name, idle, flooded }) => {
    const ratio = median(flooded.map(({ p99 }, round) => p99 / (idle[round]?.p99 ?? 1)));
    return [row(`${name}, idle`, idle, "1"), row(`${name}, while sign-ins flood`, flooded, figure(ratio))];
  });
}

interface Contender {
  readonly name: string;
  readonly server: Child;
  readonly idle: Loaded[];
  readonly flooded: Loaded[];
}

function checksOf(server: Child, seconds: number): Load {
  return {
    port: server.ready.port ?? 0,
    requests: Array.from({ length: 1_000 }, (_, index) => checkRequest(seededToken(index))),
    connections: 16,
    seconds,
    perSecond: checksPerSecond,
  };
}

function row(name: string, loaded: readonly Loaded[], ratio: string): Row {
  return {
    [`session checks, ${checksPerSecond}/s`]: name,
    "p50 ms": figure(median(loaded.map(({ p50 }) => p50))),
    "p99 ms": figure(median(loaded.map(({ p99 }) => p99))),
    "of idle p99": ratio,
  };
}
