import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { loggablePath } from "../../server/loggable.ts";
import type { Permission } from "../../src/domain/user.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tickets } from "../../src/features/tickets.ts";
import { tokens } from "../../src/features/tokens.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { canaries } from "../server/support/canaries.ts";
import { temporaryDirectory } from "../support/backends.ts";
import { mailWorld } from "../support/mail.ts";
import { password, type World } from "../support/world.ts";
import { admin, administered, type Person, root, signIn, users } from "./staff.ts";

// Everything that says something of a person is planted wherever a flow takes it; after the erasure every row of every table, the log
// and what administrators can take out are searched for it.

const me = `${users}/me`;
const markers = {
  email: "marker.address@anaplace.example",
  "second email": "marker.other@anaplace.example",
  username: "markerusername",
  "second username": "markerusername2",
  name: "Marker Bernadotte",
  ip: "198.51.100.177",
  "user agent": "MarkerBrowser/7.7",
  "api key name": "marker key of hers",
  "allowed address": "203.0.113.199",
  "application data": "marker of the application",
  subject: "marker-subject-4711",
  "provider's address": "marker.provider@anaplace.example",
  "mail detail": "marker of a mail",
  "session bag": "marker of the bag",
} as const;
const headers = { "user-agent": markers["user agent"] };

/** Does with an account all that can be done. */
async function live(here: World, chief: Person, look: () => void): Promise<Person> {
  const invited = await chief.post("/api/v1/invitations", { email: markers.email, name: markers.name });
  look();
  const token = new URL(String(invited.body.url)).searchParams.get("token");
  const ana = here.browser();
  ana.ip = markers.ip;
  const registration = { token, username: markers.username, password, remember: true };
  const { status, body } = await ana.post("/api/v1/invitations/redeem", registration, { headers });
  expect(status).toBe(201);
  const userId = String(body.user?.id);
  await ana.patch(me, { name: `${markers.name} the Second`, email: markers["second email"] }, { headers });
  await ana.patch(me, { username: markers["second username"] }, { headers });
  await ana.post("/api/v1/auth/login", { username: markers["second email"], password: "wrong" }, { headers });
  await ana.post("/api/v1/auth/login", { username: markers["second username"], password }, { headers });
  await ana.put(`${me}/password`, { current_password: password, new_password: `${password}!` }, { headers });
  await ana.post("/api/v1/auth/reauthenticate", { password: `${password}!` }, { headers });
  await ana.post("/api/v1/auth/ticket", { path: "/socket" }, { headers });
  const issued = await ana.post("/api/v1/auth/token", {}, { headers });
  await ana.post("/api/v1/auth/token/refresh", { refresh_token: issued.body.refresh_token }, { headers });
  const made = await ana.post(
    "/api/v1/api-keys",
    { name: markers["api key name"], ip_allow: [markers["allowed address"], markers.ip] },
    { headers },
  );
  await here.browser().get(me, { headers: { "x-api-key": String(made.body.key), ...headers } });
  const byKey = here.browser();
  byKey.ip = markers.ip;
  await byKey.get(me, { headers: { "x-api-key": String(made.body.key), ...headers } });
  await ana.get(`${users}/root`, { headers });
  await ana.post("/api/v1/auth/logout", undefined, { headers, csrf: false });
  await ana.get(`${me}/export`, { headers });
  await here.auth.users.issueResetToken(userId);
  await stored(here, userId);
  look();
  return Object.assign(ana, { userId });
}

/** What features that are not listed here would have written. */
async function stored(here: World, userId: string): Promise<void> {
  const user = await here.user(userId);
  const now = here.clock.now();
  await here.write(
    {
      kind: "user.update",
      userId,
      version: user.version,
      changes: { data: { note: markers["application data"] } as never, locale: "pt-BR" },
    },
    {
      kind: "linked_account.insert",
      account: {
        ...{ kind: "linked-account", id: "01890000-0000-7000-8000-000000000001", userId, provider: "google" },
        ...{ issuer: "https://accounts.google.com", subject: markers.subject },
        ...{ email: markers["provider's address"], sealedTokens: null, lastUsedAt: null },
        ...{ version: 1, createdAt: now, updatedAt: now },
      },
    },
    {
      kind: "mail.insert",
      mail: {
        ...{ id: "01890000-0000-7000-8000-000000000002", purpose: "email_changed", userId, locale: null },
        ...{ detail: JSON.stringify({ note: markers["mail detail"] }), attempts: 0 },
        ...{ nextAttemptAt: now, createdAt: now },
      },
    },
  );
  const [session] = await here.auth.sessions.list(userId);
  await here.write({
    kind: "session.set_data",
    sessionId: session?.id ?? "",
    dataVersion: session?.dataVersion ?? 0,
    data: { note: markers["session bag"] },
  });
}

/** What others do with it. */
async function handle(here: World, chief: Person, ana: Person): Promise<void> {
  const name = markers["second username"];
  const other = await signIn(here, "other");
  await other.get(`${users}/${name}`);
  await other.delete(`${users}/${name}/`, { csrf: false });
  const made = await chief.post("/api/v1/api-keys", { name: "reads", permissions: ["user:read"] });
  const key = { headers: { "x-api-key": String(made.body.key) } };
  expect((await here.browser().get(`${users}/${name}`, key)).status).toBe(200);
  await chief.patch(`${users}/${name}`, { name: markers.name });
  await chief.post(`${users}/${name}/impersonate`);
  await chief.get("/api/v1/audit");
  await chief.post("/api/v1/auth/impersonation/stop");
  await chief.put(`${users}/${name}/roles`, { permissions: ["invoice:read"] });
  await chief.post(`${users}/${ana.userId}/disable`);
  await chief.post(`${users}/${ana.userId}/restore`);
  await here.settle();
}

function everyRow(path: string): Buffer {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  const text = tables.map(({ name }) => {
    const rows = database.prepare(`SELECT * FROM "${String(name)}"`).all();
    return rows.map((row) =>
      Object.values(row)
        .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value)))
        .join("\n"),
    );
  });
  database.close();
  return Buffer.from(text.flat().join("\n"));
}

describe("an erased account", () => {
  test.each(["by an administrator", "by themselves", "by the sweep"])(
    "%s is found in no row, log or export",
    async (how) => {
      const path = join(temporaryDirectory(), "latchkey.db");
      const here = administered({
        stores: sqlite({ path }),
        features: [apiKeys(), tokens(), tickets()],
      });
      const found = canaries();
      for (const [name, marker] of Object.entries(markers)) found.add(name, marker);
      const chief = await root(here);
      await here.plant({ username: "other", email: "other@example.com", permissions: [] as Permission[] });
      const planted = new Set<string>();
      const look = () =>
        found.findIn("before", everyRow(path)).forEach(({ secret }) => void planted.add(secret));
      const ana = await live(here, chief, look);
      await handle(here, chief, ana);
      look();
      expect([...planted].sort()).toEqual(Object.keys(markers).sort());
      if (how === "by an administrator")
        expect((await chief.delete(`${users}/db/${markers["second username"]}`)).body).toEqual({
          message: "The account is anonymised.",
        });
      else {
        const again = here.browser();
        again.ip = markers.ip;
        const typed = { username: markers["second username"], password: `${password}!` };
        await again.post("/api/v1/auth/login", typed, { headers });
        const query = how === "by themselves" ? "?erase=now" : "";
        expect((await again.delete(me + query, { headers })).status).toBe(204);
      }
      if (how === "by the sweep") {
        here.clock.advance(31 * 86_400);
        await here.auth.sessions.sweep();
      }
      await here.settle();
      expect((await here.user(ana.userId)).status).toBe("anonymized");
      const later = await signIn(here, "root");
      const taken = [
        (await later.get("/api/v1/audit?limit=200")).text,
        (await later.get(`${users}?limit=200`)).text,
        (await later.get(`${users}/${ana.userId}`)).text,
        (await later.get(`${me}/export`)).text,
        (await later.get(`/api/v1/stats`)).text,
      ].join("\n");
      const log = JSON.stringify(here.log.map(({ message, fields }) => [message, fields]));
      const leaks = [
        ...found.findIn("database", everyRow(path)),
        ...found.findIn("export", Buffer.from(taken)),
        ...found.findIn("log", Buffer.from(log)),
      ];
      expect(leaks).toEqual([]);
    },
  );

  test("is found in no row after all that is done by mail", async () => {
    const path = join(temporaryDirectory(), "latchkey.db");
    const here = mailWorld({ stores: sqlite({ path }), features: [admin], registration: "confirm" });
    const found = canaries();
    for (const [name, marker] of Object.entries(markers)) found.add(name, marker);
    const chief = await root(here);
    const ana = here.browser();
    ana.ip = markers.ip;
    const { email, "second email": second, username } = markers;
    const linked = async (to: string): Promise<string> => {
      await here.delivered();
      return here.sink.token(to);
    };
    const post = async (path: string, json: object): Promise<void> => {
      const { status, text } = await ana.post(`/api/v1/auth/${path}`, json, { headers });
      expect({ path, text, isDone: status < 300 }).toMatchObject({ path, isDone: true });
    };
    await post("register", { email, username, password, name: markers.name });
    await post("email/verify", { token: await linked(email) });
    await post("password/forgot", { email });
    await post("magic-link", { email });
    await post("email-code", { email });
    await here.delivered();
    expect((await ana.patch(me, { email: second }, { headers })).status).toBeLessThan(300);
    await post("email/verify", { token: await linked(second) });
    await post("magic-link", { email: second });
    await here.delivered();
    const user = await here.auth.users.findByIdentifier(username);
    expect(user?.email).toBe(second);
    const planted = new Set(found.findIn("before", everyRow(path)).map(({ secret }) => secret));
    expect([...planted].sort()).toEqual(["ip", "name", "second email", "user agent", "username"]);
    expect((await chief.delete(`${users}/db/${username}`)).status).toBe(200);
    await here.settle();
    expect(found.findIn("database", everyRow(path))).toEqual([]);
  });

  test("is not named in the access log either", () => {
    const name = markers.username;
    for (const path of [`${users}/${name}`, `${users}/${name}/sessions`, `${users}/db/${name}`])
      expect(loggablePath(path)).not.toContain(name);
    expect(loggablePath(`${users}/me/sessions`)).toBe(`${users}/me/sessions`);
    const id = "01890000-0000-7000-8000-000000000001";
    expect(loggablePath(`${users}/${id}/restore`)).toBe(`${users}/${id}/restore`);
  });
});
