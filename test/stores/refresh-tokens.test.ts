import { createClient } from "redis";
import { afterAll, describe, expect, inject, onTestFinished, test } from "vitest";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { tokenAgain, tokenClient, tokensOf, tokenWorld } from "../support/token-client.ts";
import { newSchema } from "./postgres-database.ts";

const redisUrl = inject("redisUrl");
const client = createClient({ url: redisUrl ?? "" });
if (redisUrl !== null) await client.connect();
afterAll(() => client.destroy());
let opened = 0;

const servers: readonly { name: string; isHere: boolean; open(): Promise<Stores> }[] = [
  {
    name: "PostgreSQL",
    isHere: inject("postgresUrl") !== null,
    async open() {
      const schema = await newSchema();
      const pool = schema.pool();
      onTestFinished(async () => {
        await pool.end();
        await schema.drop();
      });
      const stores = postgres({ pool });
      await stores.migrations.up();
      return stores;
    },
  },
  {
    name: "memory and Redis",
    isHere: redisUrl !== null,
    open: async () =>
      split({
        ...memory(),
        sessions: redis({ client, prefix: `refresh:${process.pid}:${++opened}:` }).sessions,
      }),
  },
];

describe.each(servers)("refresh tokens on $name", ({ isHere, open }) => {
  describe.skipIf(!isHere)("in two processes", () => {
    const start = async () => {
      const here = tokenWorld({ stores: await open() });
      return { here, there: tokenAgain(here), ana: await tokenClient(here) };
    };

    test("give every tab the same successor, and log nobody out", async () => {
      const { here, there, ana } = await start();
      let token = ana.tokens.refresh_token ?? "";
      for (let round = 0; round < 3; round++) {
        const both = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? here : there));
        const answers = await Promise.all(both.map((each) => tokensOf(each).refresh(token)));
        expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1);
        token = answers[0]?.refreshToken ?? "";
        expect(await tokensOf(there).verify(answers[0]?.accessToken ?? "")).toMatchObject({
          sub: ana.userId,
        });
        here.clock.advance(60);
      }
      expect(await here.audit("token.reused")).toEqual([]);
    });

    test("show a real replay, however many come at once, and end the session everywhere", async () => {
      const { here, there, ana } = await start();
      const stolen = ana.tokens.refresh_token ?? "";
      await ana.refresh();
      here.clock.advance(60);
      const replays = await Promise.allSettled(
        Array.from({ length: 6 }, (_, index) => tokensOf(index % 2 === 0 ? here : there).refresh(stolen)),
      );
      expect(replays.filter(({ status }) => status === "fulfilled")).toEqual([]);
      expect(await tokensOf(there).verify(ana.tokens.access_token)).toBeNull();
      await expect(tokensOf(there).refresh(ana.tokens.refresh_token ?? "")).rejects.toMatchObject({
        code: "token_invalid",
      });
      expect(await here.audit("token.reused")).toHaveLength(1);
    });

    test("and access tokens are revoked in both at once", async () => {
      const { here, there, ana } = await start();
      const other = (await ana.send("POST", "/api/v1/auth/token/refresh")).body.token;
      expect(await tokensOf(there).verify(ana.tokens.access_token)).not.toBeNull();
      await tokensOf(here).revoke(ana.tokens.access_token);
      expect(await tokensOf(there).verify(ana.tokens.access_token)).toBeNull();
      expect(await tokensOf(there).verify(String(other))).not.toBeNull();
    });

    test("a refresh that races the end of all sessions leaves none behind", async () => {
      const { here, there, ana } = await start();
      const [refreshed] = await Promise.allSettled([
        tokensOf(here).refresh(ana.tokens.refresh_token ?? ""),
        there.auth.sessions.revokeAll(ana.userId),
      ]);
      if (refreshed.status === "fulfilled") {
        expect(await tokensOf(here).verify(refreshed.value.accessToken)).toBeNull();
      }
      expect(await tokensOf(there).verify(ana.tokens.access_token)).toBeNull();
    });
  });
});
