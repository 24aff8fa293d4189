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

/** Sign-ins per second beside the bare hash in as many threads. */
export async function signIns(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "sign-ins.db");
  await createPeople(path);
  const load = await startChild("load.ts", []);
  const server = await startChild("contenders/latchkey.ts", [path]);
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = -1; round < effort.rounds; round++) {
    const hashes = await bareHashes(effort.seconds);
    const loaded = await load.ask<Loaded>(signInLoad(server, effort.seconds));
    if (loaded.failed > 0) throw new Error(`${loaded.failed} sign-ins were refused`);
    if (round < 0) continue;
    bare.push(hashes);
    ours.push(loaded.perSecond);
  }
  await load.stop();
  await server.stop();
  await rm(folder, { recursive: true });
  const share = median(ours.map((perSecond, round) => perSecond / (bare[round] ?? 1)));
  return [
    { "argon2id 19 MiB, t=2": "bare hash", "per second": figure(median(bare)), "of bare hash": "1" },
    {
      "argon2id 19 MiB, t=2": "Latchkey sign-in",
      "per second": figure(median(ours)),
      "of bare hash": figure(share),
    },
  ];
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
