import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { type Chance, chance } from "./kill/chance.ts";
import { isWhole, openStores, type Place, settle } from "./kill/engines.ts";
import { type Ledger, ledger } from "./kill/ledger.ts";

const SEED = process.env.FAST_CHECK_SEED ?? "20261121";
const ROUNDS = { fewest: 4, most: 12 };
const ENOUGH_MS = 6_000;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-kill-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function newDatabase(): Promise<string> {
  const url = inject("postgresUrl") ?? "";
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

const places: Readonly<Record<Place["engine"], () => Promise<Place>>> = {
  sqlite: async () => ({ engine: "sqlite", folder: temporaryFolder() }),
  "sqlite+file": async () => ({ engine: "sqlite+file", folder: temporaryFolder() }),
  postgres: async () => ({ engine: "postgres", url: await newDatabase() }),
};

/** Lets a process work, and kills it somewhere in one of its transactions. */
async function killOne(place: Place, seed: string, book: Ledger, draw: Chance): Promise<void> {
  const script = fileURLToPath(new URL("./kill/worker.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", script, JSON.stringify(place), seed];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout });
  const until = book.acknowledged + 1 + draw(150);
  const isTime = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      book.read(JSON.parse(line));
      if (book.acknowledged >= until) resolve();
    });
  });
  await Promise.race([isTime, ended]);
  await sleep(draw(4));
  child.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
}

async function faultsAfterKill(place: Place, book: Ledger): Promise<readonly string[]> {
  await settle(place);
  const { stores, end } = openStores(place);
  try {
    return await book.check(stores, isWhole(place));
  } finally {
    await end();
  }
}

describe("a process that is killed at any instant", () => {
  for (const engine of ["sqlite", "sqlite+file", "postgres"] as const) {
    const isMissing = engine === "postgres" && inject("postgresUrl") === null;
    test.skipIf(isMissing)(`${engine}: what it acknowledged is there, and nothing is half done`, async () => {
      const place = await places[engine]();
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
  }
});
