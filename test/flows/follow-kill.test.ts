import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { world } from "../support/world.ts";
import { type Telling, tell } from "./follow-kill/telling.ts";

const never = { at: "never", isAfter: false } as const;

/** A database with some events that nobody was told of, and their ids in order. */
async function withEvents(count: number): Promise<{
  folder: string;
  database: string;
  ids: readonly string[];
  now: number;
}> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-follow-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const database = join(folder, "events.db");
  const stores = sqlite({ path: database });
  const here = world({ stores });
  for (let events = 0; events < count; events++) {
    await here.browser().post("/api/v1/auth/login", { email: "nobody@example.com", password: "not the one" });
  }
  const ids = here.events.map(({ id }) => id);
  await here.auth.close();
  for (const port of [stores.ephemeral, stores.sessions, stores.directory]) await port.close();
  return { folder, database, ids, now: here.clock.now().getTime() };
}

/** Whether the process got to its end before it could die. */
async function dies(telling: Telling): Promise<boolean> {
  const script = fileURLToPath(new URL("./follow-kill/worker.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", script, JSON.stringify(telling)];
  // Dozens of processes read the same files.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(dirname(telling.database), "compiled") };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  expect([code === 0, signal === "SIGKILL"]).toContain(true);
  return signal === "SIGKILL";
}

/** Without the repetitions that "at least once" allows: an event and, right after it, the same one again. */
function withoutRepeats(ids: readonly string[]): readonly string[] {
  return ids.filter((id, index) => id !== ids[index - 1]);
}

interface Heard {
  readonly to: Telling["to"];
  /** What arrived since the last call. */
  take(): readonly string[];
}

function fileBeside(database: string): Heard {
  const file = `${database}-heard`;
  return {
    to: { file },
    take() {
      const ids = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
      rmSync(file, { force: true });
      return ids;
    },
  };
}

async function server(): Promise<Heard> {
  let ids: string[] = [];
  const listening = createServer((request, response) => {
    ids.push(String(request.headers["webhook-id"]));
    request.resume().once("end", () => response.writeHead(204).end());
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  return {
    to: { url: `http://127.0.0.1:${port}/` },
    take() {
      const taken = ids;
      ids = [];
      return taken;
    },
  };
}

/** Kills a process, has another go on, and looks at what arrived. Answers whether the first got as far as its death. */
async function killed(
  { folder, database, ids, now }: Awaited<ReturnType<typeof withEvents>>,
  open: (database: string) => Heard | Promise<Heard>,
  death: Telling["death"],
): Promise<{ readonly hasDied: boolean; readonly repeats: number }> {
  const copy = join(folder, `${death.at}-${death.isAfter}.db`);
  copyFileSync(database, copy);
  const { to, take } = await open(copy);
  const hasDied = await dies({ database: copy, to, now, death });
  const before = take();
  // The lease of the dead one has to end.
  await tell({ database: copy, to, now: now + 3_600_000, death: never });
  const all = [...before, ...take()];
  expect(withoutRepeats(all), JSON.stringify(death)).toEqual(ids);
  return { hasDied, repeats: all.length - ids.length };
}

describe("a process that is killed", () => {
  test("at any step had told a listener every event in order, and nothing else", {
    timeout: 120_000,
  }, async () => {
    const given = await withEvents(2);
    let [deaths, repeats] = [0, 0];
    for (let at = 0; ; at++) {
      const pair = [false, true].map((isAfter) => killed(given, fileBeside, { at, isAfter }));
      const ended = await Promise.all(pair);
      for (const each of ended) repeats += each.repeats;
      if (!ended.some(({ hasDied }) => hasDied)) break;
      deaths += ended.length;
    }
    expect(deaths).toBeGreaterThan(20);
    // Died between an event and the note that it was taken: that is what ids are for.
    expect(repeats).toBeGreaterThan(0);
  });

  test("before or after a webhook sends it again, and leaves none out", { timeout: 60_000 }, async () => {
    const given = await withEvents(2);
    const before = await killed(given, server, { at: "handing-over", isAfter: false });
    const after = await killed(given, server, { at: "handing-over", isAfter: true });
    expect([before, after]).toEqual([
      { hasDied: true, repeats: 0 },
      { hasDied: true, repeats: 1 },
    ]);
  });
});
