import { readFileSync } from "node:fs";
import { cp, mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drivers } from "../../server/drivers/load-driver.ts";
import { newFolder } from "./support/child-server.ts";
import { refusals } from "./support/refusals.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "server/package.json"), "utf8"));
const canary = "Zq90817263Xj";

test("every driver is an optional peer, in a range that holds the version which a message tells to install", () => {
  // Used where it is, and never asked for.
  const { "@opentelemetry/api": _, ...asked } = manifest.peerDependencies;
  expect(Object.keys(asked).sort()).toEqual(Object.keys(drivers).sort());
  for (const [name, version] of Object.entries(drivers)) {
    expect(manifest.peerDependencies[name]).toMatch(new RegExp(`^\\^${version}\\.`));
    expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
  }
});

const without: readonly (readonly [asked: string, keyof typeof drivers, Readonly<Record<string, string>>])[] =
  [
    ["DATABASE_URL=postgres:…", "pg", { DATABASE_URL: `postgres://u:${canary}@127.0.0.1:1/d` }],
    ["DATABASE_URL=mysql:…", "mysql2", { DATABASE_URL: `mysql://u:${canary}@127.0.0.1:1/d` }],
    [
      "SESSION_BACKEND=redis",
      "redis",
      { SESSION_BACKEND: "redis", REDIS_URL: `redis://:${canary}@127.0.0.1:1` },
    ],
    ["SESSION_BACKEND=valkey", "redis", { SESSION_BACKEND: "valkey" }],
    [
      "SESSION_BACKEND=mongodb",
      "mongodb",
      { SESSION_BACKEND: "mongodb", MONGODB_URL: `mongodb://u:${canary}@a` },
    ],
    ["SESSION_BACKEND=memcached", "memcached", { SESSION_BACKEND: "memcached" }],
  ];

describe("where no driver is installed", () => {
  let folder: string;
  let said: ReadonlyMap<string, string>;

  // The server as a project has it that installed nothing beside it.
  beforeAll(async () => {
    folder = await newFolder();
    await cp(join(root, "server"), join(folder, "server"), {
      recursive: true,
      filter: (path) => !/node_modules|dist$/.test(path),
    });
    for (const name of Object.keys(manifest.dependencies)) {
      const link = join(folder, "node_modules", name);
      await mkdir(join(link, ".."), { recursive: true });
      await symlink(name === "latchkey" ? root : join(root, "node_modules", name), link);
    }
    const starts = without.map(([, , variables]) => variables);
    const told = await refusals(starts, join(folder, "server"));
    said = new Map(without.map(([asked], index) => [asked, told[index] ?? ""]));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(without)("%s says in one line which package to install", (asked, driver) => {
    expect(said.get(asked)).toBe(
      `${asked} needs the package ${driver}, which is not installed. Run: npm install ${driver}@${drivers[driver]}\n`,
    );
  });
});
