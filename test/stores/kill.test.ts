import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { startMemcached } from "../servers/start-memcached.ts";
import { type Chance, chance } from "./kill/chance.ts";
import { isWhole, openStores, type Place } from "./kill/engines.ts";
import { type Ledger, ledger } from "./kill/ledger.ts";
import { settle } from "./kill/settle.ts";
import { mysqlUrl, newDatabase } from "./mysql-database.ts";

const SEED = process.env.FAST_CHECK_SEED ?? "20261121";
const ROUNDS = { fewest: 4, most: 12 };
const ENOUGH_MS = 4_000;

const postgresUrl = inject("postgresUrl");
const redisUrl = inject("redisUrl");

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-kill-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function newPostgres(): Promise<string> {
  const url = postgresUrl ?? "";
  const name = `kill_${process.pid}_${Date.now()}`;
  const admin = new pg.Client(url);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  onTestFinished(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

async function newMysql(): Promise<string> {
  const { url, drop } = await newDatabase();
  onTestFinished(drop);
  return url;
}

const places: readonly (readonly [Place["engine"], isMissing: boolean, open: () => Promise<Place>])[] = [
  ["sqlite", false, async () => ({ engine: "sqlite", folder: temporaryFolder() })],
  ["sqlite+file", false, async () => ({ engine: "sqlite+file", folder: temporaryFolder() })],
  [
    "sqlite+memcached",
    inject("memcachedBinary") === null,
    async () => {
      const { address } = await startMemcached();
      return { engine: "sqlite+memcached", folder: temporaryFolder(), address };
    },
  ],
  ["postgres", postgresUrl === null, async () => ({ engine: "postgres", url: await newPostgres() })],
  [
    "postgres+redis",
    postgresUrl === null || redisUrl === null,
    async () => {
      const redis = { url: redisUrl ?? "", prefix: `kill:${process.pid}:` };
      return { engine: "postgres+redis", url: await newPostgres(), redis };
    },
  ],
  ["mysql", mysqlUrl === null, async () => ({ engine: "mysql", url: await newMysql() })],
];

/** Lets a process work, and kills it somewhere in one of its transactions. */
async function killOne(place: Place, seed: string, book: Ledger, draw: Chance): Promise<void> {
  const script = fileURLToPath(new URL("./kill/worker.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", script, JSON.stringify(place), seed];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "close");
  const until = book.acknowledged + 1 + draw(300);
  const isTime = new Promise<void>((resolve) => {
    let half = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (half + text).split("\n");
      // What was to begin with a line that the process died in has not begun.
      half = lines.pop() ?? "";
      for (const line of lines) book.read(JSON.parse(line));
      if (book.acknowledged >= until) resolve();
    });
  });
  await Promise.race([isTime, ended]);
  // The instant is what this is about: nothing that could be waited for says it.
  await sleep(draw(4));
  child.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
}

async function faultsAfterKill(place: Place, book: Ledger): Promise<readonly string[]> {
  await settle(place);
  const { stores, end } = await openStores(place);
  try {
    return await book.check(stores, isWhole(place));
  } finally {
    await end();
  }
}

describe.each(places)("a process on %s that is killed at any instant", (engine, isMissing, open) => {
  // Of a busy machine the fewest rounds may want more than a test is given otherwise.
  const options = { timeout: 60_000 };
  test.skipIf(isMissing)("left all that it had acknowledged, and nothing half done", options, async () => {
    const place = await open();
    const book = ledger();
    const draw = chance(`${SEED}-${engine}`);
    const startedAt = performance.now();
    for (let round = 0; round < ROUNDS.most; round++) {
      if (round >= ROUNDS.fewest && performance.now() - startedAt > ENOUGH_MS) break;
      await killOne(place, `${SEED}-${round}`, book, draw);
      expect(await faultsAfterKill(place, book), `FAST_CHECK_SEED=${SEED}, round ${round}`).toEqual([]);
    }
    expect(book.acknowledged).toBeGreaterThan(ROUNDS.fewest);
  });
});
