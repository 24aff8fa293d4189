import { describe, expect, test } from "vitest";
import { backends } from "../support/backends.ts";
import { password } from "../support/world.ts";
import { admin, administered, holding, person, root, signIn, users } from "./staff.ts";

describe.each(backends)("an administrator, on $backend", ({ open }) => {
  test("creates an account, in every mode of registration", async () => {
    const here = administered({ stores: await open(), registration: "closed" });
    const boss = await holding(here, "boss", "user:write");
    const { status, body, cookies } = await boss.post(users, {
      ...{ email: "Ana@Example.com", username: "ana", password, name: "Ana", locale: "PT-br" },
      ...{ email_verified: true, must_change_password: true },
    });
    expect({ status, cookies }).toEqual({ status: 201, cookies: [] });
    expect(body).toMatchObject({
      ...{ username: "ana", email: "Ana@Example.com", name: "Ana", locale: "pt-BR", status: "active" },
      ...{ email_verified: true, must_change_password: true, roles: [], is_superuser: false },
    });
    expect(here.heard("user.registered").at(-1)).toMatchObject({
      ...{ userId: body.id, ip: null, userAgent: null },
      payload: { by: "administrator", administratorId: boss.userId, isSuperuser: false },
    });
  });

  test("leaves a name that operators gave, where everything is sent, and gives none of those", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write");
    const desk = { email: "desk@example.com", username: "support" };
    const { id } = await here.auth.users.create({ ...desk, password });
    const renamed = await boss.patch(`${users}/${id}`, { ...desk, name: "Desk" });
    expect([renamed.status, renamed.body.username, renamed.body.name]).toEqual([200, "support", "Desk"]);
    const other = await boss.patch(`${users}/${id}`, { username: "root" });
    expect([other.status, other.body.errors?.[0]?.field]).toEqual([400, "username"]);
  });

  test("gives no name that speaks for the service, be they superuser; an operator does", async () => {
    const here = administered({ stores: await open() });
    const chief = await root(here, "chief");
    const { operator } = here.auth.use(admin);
    const { id } = await here.plant({ username: "ana", email: "ana@example.com" });
    const refused = await chief.patch(`${users}/${id}`, { username: "support" });
    expect([refused.status, refused.body.errors?.[0]?.field]).toEqual([400, "username"]);
    const renamed = await operator.change("ana", { username: " Support " });
    expect([renamed.username, (await operator.user("support")).id]).toEqual(["support", id]);
    expect(here.heard("user.updated").at(-1)).toMatchObject({
      ...{ userId: id, payload: { by: "operator", fields: ["username"] } },
    });
    // What shadows a route, or stands for nobody, is no name for operators either.
    for (const username of ["me", "anonymous", "x", ""])
      await expect(operator.change(id, { username })).rejects.toMatchObject({
        ...{ code: "invalid_input", fields: [{ field: "username" }] },
      });
    await here.auth.users.create({ username: "root", email: "root@example.com", password });
    await expect(operator.change(id, { username: "ROOT" })).rejects.toMatchObject({ code: "username_taken" });
  });

  test("finds accounts by filters, page by page, by name and by id", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:read");
    for (const name of ["ana", "anabel", "bob"])
      await here.plant({ username: name, email: `${name}@example.com` });
    const pages: unknown[] = [];
    for (let cursor: unknown = ""; cursor !== null; ) {
      const { status, body } = await boss.get(`${users}?limit=1&search=ANA&cursor=${cursor}`);
      expect(status).toBe(200);
      pages.push(...(body.items ?? []).map(({ username }) => username));
      cursor = body.next_cursor;
    }
    expect(pages).toEqual(["ana", "anabel"]);
    const { body } = await boss.get(`${users}/ana`);
    expect((await boss.get(`${users}/${body.id}/`)).body).toEqual(body);
    expect((await boss.get(`${users}/nobody`)).status).toBe(404);
    expect((await boss.get(`${users}?is_superuser=true`)).body.items).toEqual([]);
    for (const wrong of ["limit=0", "limit=201", "status=gone", "is_superuser=1"])
      expect((await boss.get(`${users}?${wrong}`)).body.code).toBe("invalid_input");
  });

  test("disables and restores: every session ends, and signing in works again after", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write");
    const ana = await person(here, "ana");
    here.events.length = 0;
    expect(await boss.post(`${users}/ana/disable`)).toMatchObject({
      status: 200,
      body: { status: "disabled" },
    });
    expect((await ana.get(`${users}/me`)).status).toBe(401);
    await expect(signIn(here, "ana")).rejects.toThrow("401");
    expect((await boss.post(`${users}/ana/disable`)).status).toBe(200);
    expect(here.heard("user.disabled")).toMatchObject([
      { userId: ana.userId, ip: null, payload: { by: "administrator", administratorId: boss.userId } },
    ]);
    expect(await boss.post(`${users}/ana/restore`)).toMatchObject({
      status: 200,
      body: { status: "active" },
    });
    expect((await ana.get(`${users}/me`)).status).toBe(401);
    await signIn(here, "ana");
    expect(here.heard("user.restored")).toHaveLength(1);
  });

  test("deletes: 30 days to restore, then nothing personal is left", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write", "user:read");
    const ana = await person(here, "ana");
    expect((await boss.delete(`${users}/ana`)).status).toBe(204);
    expect((await ana.get(`${users}/me`)).status).toBe(401);
    expect((await boss.get(`${users}/ana`)).body).toMatchObject({
      status: "deleted",
      deleted_at: here.clock.now().toISOString(),
    });
    expect((await boss.post(`${users}/ana/disable`)).body.code).toBe("conflict");
    here.clock.advance(29 * 86_400);
    await here.auth.sessions.sweep();
    const again = await signIn(here, "boss", boss.userId);
    expect((await again.post(`${users}/ana/restore`)).body).toMatchObject({
      status: "active",
      deleted_at: null,
    });
    await signIn(here, "ana");
    await again.delete(`${users}/ana`);
    here.clock.advance(31 * 86_400);
    await here.auth.sessions.sweep();
    expect((await here.user(ana.userId)).status).toBe("anonymized");
    const late = await signIn(here, "boss", boss.userId);
    expect((await late.post(`${users}/${ana.userId}/restore`)).body.code).toBe("conflict");
  });
});
