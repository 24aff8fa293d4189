import { describe, expect, test } from "vitest";
import type { Permission } from "../../src/domain/user.ts";
import { mintInvitation } from "../../src/flows/administration/invitations.ts";
import { backends } from "../support/backends.ts";
import { mailWorld } from "../support/mail.ts";
import { password, type World } from "../support/world.ts";
import { admin, administered, holding, person, root, signIn, users } from "./staff.ts";

const invitations = "/api/v1/invitations";
const email = "Guest@Example.com";

async function linkOf(here: World, wanted: object = {}): Promise<{ token: string; id: string }> {
  const chief = await signIn(here, "root").catch(() => root(here));
  const { status, body, text } = await chief.post(invitations, { email, ...wanted });
  if (status !== 201) throw new Error(text);
  const url = new URL(String(body.url));
  expect(url.origin + url.pathname).toBe(`${here.origin}/invite`);
  return { token: url.searchParams.get("token") ?? "", id: String(body.id) };
}

const redeem = (here: World, token: string, more: object = {}) =>
  here.browser().post(`${invitations}/redeem`, { token, password, ...more });

describe.each(backends)("an invitation, on $backend", ({ open }) => {
  test.each(["open", "invite", "closed"] as const)(
    "registers its guest in mode %s, signed in",
    async (registration) => {
      const here = administered({ stores: await open(), registration });
      const { token } = await linkOf(here, { name: "Guest", locale: "de", permissions: ["invoice:read"] });
      if (registration !== "open")
        expect((await here.browser().post("/api/v1/auth/register", { email, password })).body.code).toBe(
          "registration_closed",
        );
      const guest = here.browser();
      const { status, body } = await guest.post(`${invitations}/redeem`, {
        token,
        password,
        username: "guest",
      });
      expect({ status, user: body.user }).toMatchObject({
        status: 201,
        user: {
          ...{ email, username: "guest", name: "Guest", locale: "de", permissions: ["invoice:read"] },
          // Nobody knows that the link came by mail.
          email_verified: false,
          is_superuser: false,
        },
      });
      expect((await guest.get(`${users}/me`)).body.username).toBe("guest");
      expect(here.heard("user.registered").at(-1)?.payload).toEqual({ by: "self", isSuperuser: false });
      expect((await redeem(here, token)).body.code).toBe("token_invalid");
    },
  );

  test("is used once, however often at once", async () => {
    const here = administered({ stores: await open() });
    const { token } = await linkOf(here);
    const all = await Promise.all([1, 2, 3, 4].map((n) => redeem(here, token, { username: `guest${n}` })));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await here.audit("user.registered")).toHaveLength(1);
  });

  test("that was taken back, or expired, opens nothing", async () => {
    const here = administered({ stores: await open() });
    const chief = await root(here);
    const { token, id } = await linkOf(here);
    expect((await chief.delete(`${invitations}/${id}`)).status).toBe(204);
    expect((await chief.delete(`${invitations}/${id}`)).status).toBe(404);
    expect((await redeem(here, token)).body.code).toBe("token_invalid");
    const second = await linkOf(here);
    here.clock.advance(7 * 86_400);
    expect((await redeem(here, second.token)).body.code).toBe("token_invalid");
  });

  test("that is taken back is told in the log, once, whoever else takes it back at the same time", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "invitation:write");
    const other = await holding(here, "other", "invitation:write");
    const { body } = await boss.post(invitations, { email });
    const all = await Promise.all([1, 2, 3].map(() => other.copy().delete(`${invitations}/${body.id}`)));
    expect(all.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
    const payload = { by: "administrator", administratorId: other.userId, invitationId: body.id };
    expect(here.heard("user.invitation_withdrawn")).toMatchObject([
      { userId: boss.userId, ip: null, userAgent: null, payload },
    ]);
    expect(await here.audit("user.invitation_withdrawn")).toHaveLength(1);
    const { operator } = here.auth.use(admin);
    const { invitation } = await operator.invite({ email: "second@example.com" });
    await operator.withdraw(invitation.id);
    expect(here.heard("user.invitation_withdrawn").at(-1)).toMatchObject({
      ...{ userId: null, payload: { by: "operator", invitationId: invitation.id } },
    });
  });

  test("is taken back by nobody who was barred meanwhile", async () => {
    const here = administered({ stores: await open() });
    const { token, id } = await linkOf(here);
    const boss = await holding(here, "boss", "invitation:write");
    here.clock.advance(6 * 86_400);
    await boss.post("/api/v1/auth/login", { username: "boss", password });
    here.recorder.before = ({ writes }) => {
      if (!writes.includes("user.require")) return null;
      here.recorder.before = () => null;
      return here.write({ kind: "user.advance", userId: boss.userId, from: 1 });
    };
    expect((await boss.delete(`${invitations}/${id}`)).body.code).toBe("conflict");
    expect(here.heard("user.invitation_withdrawn")).toEqual([]);
    here.clock.advance(86_399);
    expect((await here.auth.use(admin).openInvitation(token)).email).toBe(email);
    here.clock.advance(1);
    // It lives no longer than it would have.
    expect(await mintInvitation(here.services, id)).toBeNull();
  });

  test("is not used up by what can be mended", async () => {
    const here = administered({ stores: await open() });
    const { token } = await linkOf(here);
    await here.plant({ username: "taken", email: "taken@example.com" });
    expect((await redeem(here, token, { password: "x" })).body.code).toBe("password_rejected");
    expect((await redeem(here, token, { username: "taken" })).body.code).toBe("username_taken");
    expect((await redeem(here, token, { email: "other@example.com" })).body.user?.email).toBe(email);
  });

  test("that was mailed proves the address, and the link of another try takes the place of the first", async () => {
    const here = administered({ stores: await open() });
    const { token, id } = await linkOf(here);
    const first = await mintInvitation(here.services, id);
    const second = await mintInvitation(here.services, id);
    expect(second).toMatchObject({ email, locale: null });
    for (const former of [token, first?.token ?? ""])
      expect((await redeem(here, former)).body.code).toBe("token_invalid");
    const { body } = await redeem(here, second?.token ?? "");
    expect(body.user).toMatchObject({ email, email_verified: true });
    expect(await mintInvitation(here.services, id)).toBeNull();
    expect(await mintInvitation(here.services, "nonsense")).toBeNull();
  });
});

test("an invitation is mailed where mail is sent, in the guest's language, and its answer has no link then", async () => {
  const here = mailWorld({ features: [admin] });
  const chief = await root(here);
  const { status, body } = await chief.post(invitations, { email, locale: "de", name: "Guest" });
  expect({ status, url: body.url }).toEqual({ status: 201, url: null });
  await here.delivered();
  const link = here.sink.link(email);
  expect(link.origin + link.pathname).toBe(`${here.origin}/invite`);
  const token = link.searchParams.get("token") ?? "";
  expect((await redeem(here, token)).body.user).toMatchObject({ email, email_verified: true, locale: "de" });
  const second = await chief.post(invitations, { email: "other@example.com" });
  await here.delivered();
  await chief.delete(`${invitations}/${second.body.id}`);
  expect((await redeem(here, here.sink.token("other@example.com"))).body.code).toBe("token_invalid");
});

describe("who invites", () => {
  test("gives what they hold, then and now", async () => {
    const here = administered({ roles: { clerk: ["invoice:read"], chief: ["invoice:write"] } } as never);
    const boss = await holding(here, "boss", "invitation:write", "invoice:read");
    const give = (more: object) => boss.post(invitations, { email, ...more });
    expect((await give({ permissions: ["invoice:write"] })).body.code).toBe("forbidden");
    expect((await give({ roles: ["chief"] })).body.code).toBe("forbidden");
    expect((await give({ roles: ["nonsense"] })).body.code).toBe("invalid_input");
    expect((await give({ tier: "nonsense" })).body.code).toBe("invalid_input");
    expect((await give({ email: "x" })).body.errors?.[0]?.field).toBe("email");
    expect((await give({ is_superuser: true, permissions: ["invoice:read"] })).status).toBe(201);
    const { body } = await give({ permissions: ["invoice:read"] });
    const token = new URL(String(body.url)).searchParams.get("token") ?? "";
    const { version } = await here.user(boss.userId);
    const permissions = ["invitation:write"] as Permission[];
    await here.write({ kind: "user.update", userId: boss.userId, version, changes: { permissions } });
    expect((await redeem(here, token)).body.code).toBe("token_invalid");
    await here.write({
      kind: "user.update",
      userId: boss.userId,
      version: version + 1,
      changes: { permissions: ["invitation:write", "invoice:read"] as Permission[] },
    });
    expect((await redeem(here, token)).body.user).toMatchObject({
      permissions: ["invoice:read"],
      is_superuser: false,
    });
  });

  test("gives a tier where they may put people into one, by a fresh sign-in, then and now", async () => {
    const here = administered();
    await here.auth.use(admin).operator.tiers.create({ name: "gold" });
    const inviter = await holding(here, "inviter", "invitation:write");
    const boss = await holding(here, "boss", "invitation:write", "user:write");
    const wanted = { email, tier: "gold" };
    expect((await inviter.post(invitations, wanted)).body.code).toBe("forbidden");
    expect((await inviter.post(invitations, { email, tier: null })).status).toBe(201);
    here.clock.advance(600);
    expect((await boss.post(invitations, wanted)).body.code).toBe("fresh_auth_required");
    expect((await boss.post(invitations, { email, tier: null })).status).toBe(201);
    await boss.post("/api/v1/auth/reauthenticate", { password });
    const { body } = await boss.post(invitations, wanted);
    const token = new URL(String(body.url)).searchParams.get("token") ?? "";
    const { version } = await here.user(boss.userId);
    const may = (at: number, ...permissions: readonly string[]) => {
      const changes = { permissions: permissions as Permission[] };
      return here.write({ kind: "user.update", userId: boss.userId, version: at, changes });
    };
    await may(version, "invitation:write");
    expect((await redeem(here, token)).body.code).toBe("token_invalid");
    await may(version + 1, "invitation:write", "user:write");
    expect((await redeem(here, token)).body.user).toMatchObject({ tier: { name: "gold" } });
  });

  test("gives no tier that is gone by then, and the link works once it is back", async () => {
    const here = administered();
    const { tiers } = here.auth.use(admin).operator;
    await tiers.create({ name: "gold" });
    const { token } = await linkOf(here, { tier: "gold" });
    await tiers.delete("gold");
    const refused = await redeem(here, token);
    expect([refused.status, await here.auth.users.findByIdentifier(email)]).toEqual([409, null]);
    await tiers.create({ name: "gold" });
    expect((await redeem(here, token)).body.user).toMatchObject({ tier: { name: "gold" } });
  });

  test("has to be there still", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "invitation:write");
    const { body } = await boss.post(invitations, { email });
    const chief = await root(here);
    await chief.post(`${users}/boss/disable`);
    const token = new URL(String(body.url)).searchParams.get("token") ?? "";
    expect((await redeem(here, token)).body.code).toBe("token_invalid");
  });

  test("invites nobody who is there", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "invitation:write");
    await person(here, "ana");
    expect((await boss.post(invitations, { email: "ANA@example.com" })).body.code).toBe("email_taken");
    expect(here.heard("user.invited")).toEqual([]);
  });

  test("is told in the log; an operator invites as well", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "invitation:write");
    const { body } = await boss.post(invitations, { email });
    expect(here.heard("user.invited")).toMatchObject([
      { userId: boss.userId, payload: { invitationId: body.id } },
    ]);
    const { token } = await here.auth.use(admin).operator.invite({ email: "other@example.com" });
    expect((await here.auth.use(admin).openInvitation(token ?? "")).email).toBe("other@example.com");
    expect(here.heard("user.invited").at(-1)?.userId).toBeNull();
    expect((await redeem(here, token ?? "")).status).toBe(201);
  });
});
