import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../servers/eventually.ts";
import { command } from "./support/command.ts";
import { type HereServer, hereSecret, serveHere } from "./support/here-server.ts";

const receiver = createServer((request, response) => void request.resume().on("end", () => response.end()));
let server: HereServer;
let url: string;
let webhooks: string;

/** A server that told somebody of what happened, and was stopped then. */
beforeAll(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  webhooks = `${url}#whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  server = await serveHere({ WEBHOOKS: webhooks });
  const told = once(receiver, "request");
  // Its place in the log is made by the first look, from which on it is told.
  await eventually(async () => (await rows("audit_cursors")) > 0);
  const account = { email: "ana@example.com", password: "seven green kettles" };
  await server.browser().post("/api/v1/auth/register", account);
  await told;
  await server.stop();
}, 60_000);

afterAll(async () => {
  await server.remove();
  receiver.closeAllConnections();
  receiver.close();
});

async function rows(table: string): Promise<number> {
  const db = new DatabaseSync(join(server.folder, "data/latchkey.db"), { readOnly: true });
  const count = Number(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
  db.close();
  return count;
}

const audit = (args: readonly string[], variables = {}) =>
  command(server, hereSecret, ["audit", ...args], variables);

async function followers(
  variables = {},
): Promise<readonly { readonly name: string; readonly url: string | null }[]> {
  const { code, out } = await audit(["followers", "--json"], variables);
  expect(code).toBe(0);
  return JSON.parse(out).items;
}

async function doctorSays(
  variables: Readonly<Record<string, string>>,
): Promise<{ state: string; fix?: string }> {
  const { out } = await command(server, hereSecret, ["doctor", "--json"], variables);
  const { items } = JSON.parse(out) as { items: readonly { id: string; state: string; fix?: string }[] };
  const found = items.find(({ id }) => id === "audit-followers-known");
  if (found === undefined) throw new Error("no such check");
  return found;
}

describe("followers of the audit log", { timeout: 60_000 }, () => {
  test("one that is in WEBHOOKS is listed with its address, and cannot be forgotten", async () => {
    const [follower, ...others] = await followers({ WEBHOOKS: webhooks });
    expect(others).toEqual([]);
    expect(follower).toEqual({
      name: expect.stringMatching(/^webhook:[0-9a-f]{16}$/),
      told_seq: expect.any(Number),
      untold: expect.any(Number),
      url,
    });
    expect((await audit(["followers"], { WEBHOOKS: webhooks })).out).toContain(url);
    expect(await audit(["forget", follower?.name ?? "", "--yes"], { WEBHOOKS: webhooks })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/in WEBHOOKS\. Take it out there first/),
    });
    const kept = { WEBHOOKS: webhooks, AUDIT_RETENTION_DAYS: "30" };
    expect(await doctorSays(kept)).toMatchObject({ state: "ok" });
  });

  test("one that is not there any more is found by the doctor, and forgotten as it says", async () => {
    const [follower] = await followers();
    expect(follower).toMatchObject({ url: null });
    expect(await doctorSays({})).toMatchObject({ state: "skipped" });
    const found = await doctorSays({ AUDIT_RETENTION_DAYS: "30" });
    expect(found).toMatchObject({
      state: "found",
      fix: expect.stringContaining(`forget ${follower?.name}\``),
    });
    const name = /`latchkey audit forget (\S+)`/.exec(found.fix ?? "")?.[1] ?? "";
    expect(await audit(["forget", name])).toMatchObject({ code: 2, err: expect.stringMatching(/--yes/) });
    expect(await audit(["forget", "webhook:nobody", "--yes"])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no follower/),
    });
    expect(await followers()).toHaveLength(1);
    expect(await audit(["forget", name, "--yes"])).toMatchObject({ code: 0, out: `${name} is forgotten.\n` });
    expect((await audit(["followers"])).out).toBe("Nobody is told of the audit log.\n");
    expect(await doctorSays({ AUDIT_RETENTION_DAYS: "30" })).toMatchObject({ state: "ok" });
  });
});
