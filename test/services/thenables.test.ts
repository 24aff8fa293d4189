import { describe, expect, test } from "vitest";
import { authenticate } from "../../src/pipeline/authenticate.ts";
import type { Outcome } from "../../src/ports/strategy.ts";
import { withDeadline } from "../../src/services/deadline.ts";
import { memory } from "../../src/stores/memory.ts";
import { bareRequest } from "../support/browser.ts";
import { thenable } from "../support/thenable.ts";
import { cookieName, world } from "../support/world.ts";

const call = () => ({ now: new Date(0), signal: new AbortController().signal });

describe("a store that answers with a thenable of another class", () => {
  const finding = (work: () => Promise<never[]>) => {
    const stores = memory();
    const sessions = { ...stores.sessions, find: () => thenable(work) };
    return withDeadline({ ...stores, sessions }, 15).sessions.find(["x"], call());
  };

  test("is heard: its answer comes as a promise", async () => {
    const answer = finding(async () => []);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toEqual([]);
  });

  test("has a deadline, and its failures are store_unavailable", async () => {
    await expect(finding(() => new Promise<never>(() => {}))).rejects.toMatchObject({
      code: "store_unavailable",
      cause: new Error("no answer within 15 ms"),
    });
    await expect(finding(() => Promise.reject(new Error("down")))).rejects.toMatchObject({
      code: "store_unavailable",
      cause: new Error("down"),
    });
  });

  test("does not sign anybody out", async () => {
    const here = world({
      wrap: (inner) => ({
        ...inner,
        sessions: {
          ...inner.sessions,
          find: (ids, each) => thenable(async () => inner.sessions.find(ids, each)),
        },
      }),
    });
    const ana = await here.registered();
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect(ana.jar.has(cookieName)).toBe(true);
  });
});

test("a strategy that answers with a thenable of another class is waited for", async () => {
  const accepted = { kind: "rejected", error: new Error("mine") } as unknown as Outcome;
  const mine = {
    name: "mine",
    ambient: false,
    challenge: "Mine",
    authenticate: () => thenable(async () => accepted),
  };
  const answer = Promise.resolve().then(() => authenticate([mine], bareRequest({}), { ip: null }));
  await expect(answer).rejects.toThrow("mine");
});
