import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { unprivilegedAccount } from "./account.ts";
import { keys, type Supplied, supply } from "./catalogue.ts";
import { openGroup, type ServerGroup } from "./server-group.ts";

const nowhere = "/nonexistent";

const refuse = (): ServerGroup => {
  throw new Error("no server was to be started");
};

/** A folder for PATH with one program, a shell script. */
function folderWith(name: string, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-path-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

function valuesOf(supplied: readonly Supplied[]): Record<string, string | null> {
  return Object.fromEntries(supplied.flatMap(({ values }) => [...values]));
}

describe("services for the tests", () => {
  test("are those that somebody else runs, where a variable says so: nothing is started or sought", async () => {
    const environment = {
      PATH: nowhere,
      POSTGRES_URL: "postgresql://db/x",
      REDIS_URL: "redis://cache:6379",
      VALKEY_URL: "redis://cache:6380",
      MEMCACHED_URL: "memcached://cache:11211",
      MYSQL_URL: "mysql://db/x",
      MONGODB_URL: "mongodb://db/x",
    };
    const wanted = new Set(keys.filter((key) => !key.endsWith("Binary") && key !== "chromiumPath"));
    const supplied = await supply(wanted, refuse, environment);
    expect(valuesOf(supplied)).toEqual({
      postgresUrl: "postgresql://db/x",
      redisUrl: "redis://cache:6379",
      valkeyUrl: "redis://cache:6380",
      memcachedAddress: "cache:11211",
      mysqlUrl: "mysql://db/x",
      mongodbUrl: "mongodb://db/x",
    });
    expect(supplied.every(({ missing }) => missing === null)).toBe(true);
  });

  test("are only those that are asked for", async () => {
    expect(await supply(new Set(), refuse, { PATH: nowhere })).toEqual([]);
    const [one, ...others] = await supply(new Set(["mongodbUrl"]), refuse, { PATH: nowhere });
    expect([one?.name, others]).toEqual(["MongoDB", []]);
  });

  test("that are nowhere are null, with the reason; MongoDB alone is no error", async () => {
    const wanted = new Set([
      "chromiumPath",
      "redisUrl",
      "redisBinary",
      "memcachedAddress",
      "mysqlUrl",
      "mongodbUrl",
    ]);
    const supplied = await supply(wanted, refuse, { PATH: nowhere });
    expect(new Set(Object.values(valuesOf(supplied)))).toEqual(new Set([null]));
    const errors = supplied.map(({ name, missing }) => [name, missing?.isError]);
    expect(errors).toEqual([
      ["Chromium", true],
      ["Redis", true],
      ["Memcached", true],
      ["MariaDB", true],
      ["MongoDB", false],
    ]);
    const reasons = Object.fromEntries(supplied.map(({ name, missing }) => [name, missing?.reason]));
    expect(reasons.MongoDB).toBe("MONGODB_URL is not set");
    expect(reasons.Redis).toMatch(/^REDIS_URL is not set, (no redis-server on PATH|apt-get)/);
  });

  test("that do not start are null, with their own last words", async () => {
    const environment = { PATH: folderWith("redis-server", "echo no luck today; exit 3") };
    const group = openGroup("unlucky", unprivilegedAccount());
    onTestFinished(() => group.end());
    const [redis] = await supply(new Set(["redisUrl", "redisBinary"]), () => group, environment);
    expect(redis?.values.get("redisUrl")).toBeNull();
    expect(redis?.values.get("redisBinary")).toMatch(/redis-server$/);
    expect(redis?.missing?.reason).toMatch(/it does not start:.*code 3: no luck today/s);
  });

  test("are not looked for elsewhere where a variable leads to nothing", async () => {
    const environment = { PATH: folderWith("chromium", ""), CHROMIUM_PATH: nowhere };
    const [chromium] = await supply(new Set(["chromiumPath"]), refuse, environment);
    expect(chromium?.missing?.reason).toBe(`CHROMIUM_PATH=${nowhere} is not an executable file`);
  });
});

describe("who runs servers that refuse root", () => {
  const passwd = (...lines: string[]) => ["root:x:0:0::/root:/bin/sh", ...lines].join("\n");

  test("is the user of the tests, where that is not root", () => {
    expect(unprivilegedAccount(1_000, () => "")).toBeNull();
  });

  test("is a service's account, else nobody, else anyone but root", () => {
    const nobody = "nobody:x:65534:65534::/:/bin/false";
    const postgres = "postgres:x:101:104::/:/bin/sh";
    expect(unprivilegedAccount(0, () => passwd(nobody, postgres))).toEqual({ uid: 101, gid: 104 });
    expect(unprivilegedAccount(0, () => passwd("bin:x:2:2::/:", nobody))).toEqual({
      uid: 65_534,
      gid: 65_534,
    });
    expect(unprivilegedAccount(0, () => passwd("bin:x:2:2::/:"))).toEqual({ uid: 2, gid: 2 });
  });

  test("is never root by another name", () => {
    const line = "postgres:x:0:0::/:/bin/sh";
    expect(() => unprivilegedAccount(0, () => passwd(line))).toThrow("no user but root");
    expect(() => unprivilegedAccount(0, () => "")).toThrow("no user but root");
  });
});
