import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createAuth, passwords, sqlite } from "latchkey";
import { type Child, startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import type { Load, Loaded } from "./load.ts";
import { figure, median, type Row } from "./table.ts";

const password = "correct horse battery staple";
const people = 20;

/** Sign-ins per second beside the bare hash in as many threads, and beside the least that a server does by hand. */
export async function signIns(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const load = await startChild("load.ts", []);
  const servers = await Promise.all(
    ["minimum", "latchkey"].map(async (name) => {
      const path = join(folder, `${name}.db`);
      await createPeople(path);
      return startChild(`contenders/${name}.ts`, [path]);
    }),
  );
  const figures: Record<"bare" | "minimum" | "ours", number[]> = { bare: [], minimum: [], ours: [] };
  for (let round = -1; round < effort.rounds; round++) {
    const hashes = await bareHashes(effort.seconds);
    const [minimum = 0, ours = 0] = await inTurn(servers, (server) => signInsOf(load, server, effort));
    if (round < 0) continue;
    figures.bare.push(hashes);
    figures.minimum.push(minimum);
    figures.ours.push(ours);
  }
  await Promise.all([load, ...servers].map((child) => child.stop()));
  await rm(folder, { recursive: true });
  const row = (name: string, perSecond: readonly number[]): Row => ({
    "argon2id 19 MiB, t=2": name,
    "per second": figure(median(perSecond)),
    "of bare hash": share(perSecond, figures.bare),
    "of the minimum": share(perSecond, figures.minimum),
  });
  return [
    row("bare hash, no server", figures.bare),
    row("minimum sign-in", figures.minimum),
    row("Latchkey sign-in", figures.ours),
  ];
}

function share(perSecond: readonly number[], of: readonly number[]): string {
  return figure(median(perSecond.map((value, round) => value / (of[round] ?? 1))));
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

async function signInsOf(load: Child, server: Child, { seconds }: Effort): Promise<number> {
  const loaded = await load.ask<Loaded>(signInLoad(server, seconds));
  if (loaded.failed > 0) throw new Error(`${loaded.failed} sign-ins were refused`);
  return loaded.perSecond;
}

/** Accounts `person0` and on, all with one password. */
export async function createPeople(path: string): Promise<void> {
  const auth = createAuth({
    origin: "http://localhost:3000",
    secrets: ["a secret of the benchmark, 32 bytes and more"],
    stores: sqlite({ path }),
    features: [passwords()],
  });
  for (let number = 0; number < people; number++) {
    await auth.users.create({ email: `person${number}@example.com`, username: `person${number}`, password });
  }
  await auth.close();
}

/** Sign-ins from several connections at once: enough to keep every hashing thread busy, not so many that some are shed. */
export function signInLoad(server: Child, seconds: number): Load {
  const requests = Array.from({ length: people }, (_, number) => signInRequest(`person${number}`));
  return { port: server.ready.port ?? 0, requests, connections: 4 * availableParallelism(), seconds };
}

function signInRequest(username: string): string {
  const body = JSON.stringify({ username, password });
  const head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function bareHashes(seconds: number): Promise<number> {
  const child = await startChild("contenders/bare-hash.ts", [
    String(availableParallelism()),
    String(seconds),
  ]);
  await child.stop();
  return child.ready.perSecond ?? 0;
}
