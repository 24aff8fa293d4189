import * as z from "zod/mini";
import type { Permission, Role } from "../domain/user.ts";
import type { Invitation } from "../flows/administration/invitations.ts";
import type { Route } from "../ports/route.ts";
import { type AdministrationParts, withoutAbsent } from "./administration.ts";
import { chosenPassword, displayName, email, flag, nameList, username } from "./inputs.ts";
import { row } from "./row.ts";
import { signInShape, userShape } from "./wire.ts";

const inviteInput = z.object({
  email,
  name: z.optional(z.nullable(displayName)),
  locale: z.optional(z.nullable(z.string().check(z.maxLength(64, "At most 64 characters")))),
  roles: z.optional(nameList),
  permissions: z.optional(nameList),
  tier: z.optional(z.nullable(z.string().check(z.maxLength(64)))),
});

const redeemInput = z.object({
  token: z.string("The token of the link is required").check(z.maxLength(200)),
  username: z.optional(username),
  password: chosenPassword("Password is required"),
  name: z.optional(displayName),
  remember: flag,
});

const invitationShape = z.object({
  id: z.string(),
  email: z.string(),
  name: z.nullable(z.string()),
  locale: z.nullable(z.string()),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  tier: z.nullable(z.string()),
  expires_at: z.iso.datetime(),
  /** Where nothing is mailed: for who was invited, this once. */
  url: z.nullable(z.string()),
});

/** Invitations, and how they are used. @param origin - links begin with it */
export function invitationRoutes(
  { administration, guards, requires, showUser }: AdministrationParts,
  origin: string,
): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/invitations",
      summary: "Invite somebody to register within 7 days; `url` is null where the link is mailed",
      guards: [requires("invitation:write")],
      limit: { name: "invitation", limit: 300, windowSeconds: 3_600 },
      input: inviteInput,
      answers: { 201: invitationShape },
      async handle({ input, ...call }) {
        const { roles, permissions, ...rest } = input;
        const rights = {
          roles: roles as Role[] | undefined,
          permissions: permissions as Permission[] | undefined,
        };
        const wanted = { ...withoutAbsent({ ...rest, ...rights }), email: input.email };
        const { invitation, token } = await administration.as(call).invite(wanted);
        const url = token === null ? null : `${origin}/invite?token=${token}`;
        return { status: 201, body: { ...wireInvitation(invitation), url } };
      },
    }),
    row({
      method: "POST",
      path: "/invitations/redeem",
      summary: "Register with an invitation, and sign in",
      guards: [guards.anyone],
      limit: { name: "register", limit: 100, windowSeconds: 3_600 },
      startsSession: true,
      input: redeemInput,
      answers: { 201: z.union([signInShape, z.object({ user: userShape })]) },
      async handle({ input: { remember, ...registration }, request, client }) {
        const wanted = { ...registration, isRemembered: remember };
        const { user, signIn } = await administration.redeemInvitation(wanted, { request, client });
        if (signIn === null) return { status: 201, body: { user: await showUser(user) } };
        const { session, change } = signIn;
        const csrfToken = typeof change.session === "object" ? change.session.csrfToken : null;
        const expiresAt = session.expiresAt.toISOString();
        return {
          status: 201,
          change,
          body: { csrf_token: csrfToken, user: await showUser(user), expires_at: expiresAt },
        };
      },
    }),
    row({
      method: "DELETE",
      path: "/invitations/{id}",
      summary: "Take an invitation back",
      guards: [requires("invitation:write")],
      answers: { 204: null },
      async handle({ params, ...call }) {
        await administration.as(call).withdraw(params.id ?? "");
        return { status: 204 };
      },
    }),
  ];
}

function wireInvitation(invitation: Invitation): Readonly<Record<string, unknown>> {
  const { id, email, name, locale, roles, permissions, tier, expiresAt } = invitation;
  return { id, email, name, locale, roles, permissions, tier, expires_at: expiresAt };
}
