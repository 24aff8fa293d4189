import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import type { Load, Loaded } from "./load.ts";
import { seed, seededToken } from "./seed.ts";
import { figure, median, type Row } from "./table.ts";

/** Sessions that are in use; the rest of a large table lies there. */
const active = 1_000;

interface Contender {
  readonly name: string;
  readonly server: Child;
  readonly requests: readonly string[];
  readonly figures: { perSecond: number[]; cpu: number[]; p99: number[] };
}

/** Session checks per second as a share of a server that checks nothing, in one run, contenders alternating. */
export async function sessionCheck(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const small = join(folder, "small.db");
  const large = join(folder, "large.db");
  await seed(small, active);
  await seed(large, effort.manySessions);
  try {
    const rows: Row[] = [];
    for (const writesPerSecond of [0, 10, 100])
      rows.push(...(await compare(effort, { small, large, writesPerSecond })));
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compare(
  effort: Effort,
  { small, large, writesPerSecond }: { small: string; large: string; writesPerSecond: number },
): Promise<readonly Row[]> {
  const load = await startChild("load.ts", []);
  const writers =
    writesPerSecond === 0
      ? []
      : await Promise.all([small, large].map((path) => writer(path, writesPerSecond)));
  const many = effort.manySessions;
  const contenders = await Promise.all([
    contender("bare node:http", "bare.ts", small, spread(active, active)),
    contender("minimum, 1,000 sessions", "minimum.ts", small, spread(active, active)),
    contender("Latchkey, 1,000 sessions", "latchkey.ts", small, spread(active, active)),
    contender(`minimum, ${many} sessions, 1,000 in use`, "minimum.ts", large, spread(many, active)),
    contender(`Latchkey, ${many} sessions, 1,000 in use`, "latchkey.ts", large, spread(many, active)),
    contender(
      `minimum, ${many} sessions, 100,000 in use`,
      "minimum.ts",
      large,
      spread(many, Math.min(many, 100_000)),
    ),
    contender(
      `Latchkey, ${many} sessions, 100,000 in use`,
      "latchkey.ts",
      large,
      spread(many, Math.min(many, 100_000)),
    ),
  ]);
  for (let round = -1; round < effort.rounds; round++) {
    for (const each of contenders) await turn(load, each, effort.seconds, round >= 0);
  }
  await Promise.all(
    [load, ...writers, ...contenders.map(({ server }) => server)].map((child) => child.stop()),
  );
  const bare = contenders[0]?.figures.perSecond ?? [];
  return contenders.map(({ name, figures }) => ({
    "session check": name,
    "foreign writes/s": writesPerSecond,
    "checks/s": figure(median(figures.perSecond)),
    "of bare": figure(median(figures.perSecond.map((perSecond, round) => perSecond / (bare[round] ?? 1)))),
    "server CPU µs": figure(median(figures.cpu)),
    "p99 ms": figure(median(figures.p99)),
  }));
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
  const after = await server.ask<{ cpuMicroseconds: number }>("cpu");
  if (loaded.failed > 0) throw new Error(`${name}: ${loaded.failed} requests were refused`);
  if (!counts) return;
  figures.perSecond.push(loaded.perSecond);
  figures.cpu.push((after.cpuMicroseconds - before.cpuMicroseconds) / (loaded.perSecond * seconds));
  figures.p99.push(loaded.p99);
}

async function contender(
  name: string,
  file: string,
  path: string,
  requests: readonly string[],
): Promise<Contender> {
  const server = await startChild(`contenders/${file}`, [path]);
  return { name, server, requests, figures: { perSecond: [], cpu: [], p99: [] } };
}

function writer(path: string, perSecond: number): Promise<Child> {
  return startChild("contenders/foreign-writer.ts", [path, String(perSecond)]);
}

// `count` sessions evenly out of `sessions`, so that neighbours in use lie on different pages.
function spread(sessions: number, count: number): readonly string[] {
  const step = Math.floor(sessions / count);
  return Array.from({ length: count }, (_, index) => checkRequest(seededToken(index * step)));
}

/** A request that carries a session, as a browser sends it. */
export function checkRequest(token: string): string {
  return `GET /checked HTTP/1.1\r\nHost: localhost\r\nCookie: latchkey=${token}\r\n\r\n`;
}
