import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import type { Load, Loaded } from "./load.ts";
import { seed, seededToken } from "./seed.ts";
import { checkRequest } from "./session-check.ts";
import { figure, type Row } from "./table.ts";

const sessions = 100_000;

/** Bytes of a live session, and whether memory stays flat while checks go on. */
export async function memoryUse(effort: Effort): Promise<readonly Row[]> {
  const heap = await startChild("contenders/memory-sessions.ts", [String(sessions)]);
  await heap.stop();
  const rows: Row[] = [
    {
      memory: `memory(), bytes per session of ${sessions}`,
      figure: figure((heap.ready.heapBytes ?? 0) / sessions),
    },
  ];
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "memory.db");
  await seed(path, sessions);
  const server = await startChild("contenders/latchkey.ts", [path]);
  const load = await startChild("load.ts", []);
  const requests = Array.from({ length: sessions }, (_, index) => checkRequest(seededToken(index)));
  const turn: Load = { port: server.ready.port ?? 0, requests, connections: 32, seconds: effort.seconds * 4 };
  for (let round = 1; round <= effort.rounds; round++) {
    const { perSecond } = await load.ask<Loaded>(turn);
    const { rssBytes } = await server.ask<{ rssBytes: number }>("memory");
    const checks = Math.round(perSecond * turn.seconds);
    rows.push({
      memory: `sqlite(), RSS in MiB after turn ${round} (${checks} checks)`,
      figure: figure(rssBytes / 2 ** 20),
    });
  }
  await Promise.all([load.stop(), server.stop()]);
  await rm(folder, { recursive: true });
  return rows;
}
