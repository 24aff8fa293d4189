import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import type { User } from "../../src/domain/user.ts";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { fixtures } from "../../src/testing/testing.ts";
import { newSchema, postgresUrl } from "./postgres-database.ts";
import { openPlace, type Place, type Role, startProcess } from "./split-process.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-processes-"));
const make = fixtures(systemClock(), systemRandom());
const call = () => ({ now: new Date(), signal: AbortSignal.timeout(10_000) });

const redisUrl = inject("redisUrl");
const schemas = postgresUrl === null ? [] : [await newSchema(), await newSchema()];
afterAll(async () => {
  rmSync(root, { recursive: true });
  for (const schema of schemas) await schema.drop();
});

const redis = redisUrl === null ? null : { url: redisUrl, prefix: `processes:${process.pid}:` };
const [one = null, two = null] = schemas.map(({ name }) => {
  const url = new URL(postgresUrl ?? "");
  url.searchParams.set("options", `-c search_path=${name}`);
  return { postgres: url.href };
});

/** Null: a server is missing. */
const places: readonly (readonly [name: string, place: Place | null])[] = [
  ["one engine, SQLite", { directory: { sqlite: join(root, "one.db") }, redis: null }],
  ["one engine, PostgreSQL", one && { directory: one, redis: null }],
  ["SQLite and Redis", redis && { directory: { sqlite: join(root, "two.db") }, redis }],
  ["PostgreSQL and Redis", two && redis && { directory: two, redis }],
];

/** Plays the roles at once, in a process each; every turn is for another user. */
function playing(place: Place, ...roles: readonly Role[]) {
  const processes = roles.map((role) => startProcess(role, place));
  onTestFinished(() => {
    for (const { child } of processes) child.kill("SIGKILL");
  });
  return async ({ id }: User): Promise<readonly (readonly string[])[]> => {
    await Promise.all(processes.map((process) => process.ready(id)));
    return Promise.all(processes.map((process) => process.go()));
  };
}

describe.each(places)("processes on %s", (_, found) => {
  const place = found as Place;
  // A server that is missing is named by the summary of the run.
  const rule = it.skipIf(found === null);
  let stores: Awaited<ReturnType<typeof openPlace>>;
  beforeAll(async () => {
    if (found !== null) stores = await openPlace(place);
  });
  afterAll(() => stores?.end());

  async function addUser(): Promise<User> {
    const user = make.user();
    expect((await stores.directory.commit([{ kind: "user.insert", user }], call())).ok).toBe(true);
    return user;
  }

  // Processes are started, which takes its time on a busy machine.
  rule(
    "leave no live session when all are ended amid sign-ins and rotations",
    { timeout: 60_000 },
    async () => {
      const turn = playing(place, "sign-ins", "sign-ins", "rotations", "end-all");
      for (let round = 0; round < 3; round++) {
        const user = await addUser();
        const started = (await turn(user)).flat();
        expect(started.length).toBeGreaterThan(50);
        expect(await stores.sessions.list(user.id, call())).toEqual([]);
        for (const id of started) expect(await stores.sessions.find([id], call())).toEqual([null]);
      }
    },
  );

  rule("keep to the cap, and report each session that it ends once", async () => {
    const user = await addUser();
    const lines = (await playing(place, "capped", "capped", "capped")(user)).flat();
    const started = lines.map((line) => line.split(" ")[0]);
    const ended = lines.flatMap((line) => line.split(" ").slice(1));
    const left = (await stores.sessions.list(user.id, call())).map(({ id }) => id);
    expect(left).toHaveLength(3);
    expect([...ended, ...left].sort()).toEqual(started.sort());
  });
});
