import * as z from "zod/mini";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError } from "../errors.ts";
import type { Route } from "../ports/route.ts";
import { exportRoute } from "./export.ts";
import { inPerson } from "./in-person.ts";
import { displayName, email, username } from "./inputs.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { sessionShape, userShape, wireSession } from "./wire.ts";
import { tokensShape } from "./wire-tokens.ts";

const profileInput = z.object({
  email: z.optional(email),
  username: z.optional(username),
  name: z.optional(z.nullable(displayName)),
  locale: z.optional(z.nullable(z.string().check(z.maxLength(64, "At most 64 characters")))),
});

/** The caller's own account. */
export function ownAccountRoutes(services: EndpointServices): readonly Route[] {
  const { users, guards, freshTokens, showUser } = services;
  const update = {
    path: "/users/me",
    refuses: ["fresh_auth_required", "email_taken", "username_taken", "conflict", "rate_limited"] as const,
    guards: [guards.signedIn],
    input: profileInput,
    answers: { 200: userShape },
    async handle(call: Parameters<Parameters<typeof row<typeof profileInput>>[0]["handle"]>[0]) {
      const { user, change, session } = await users.update(call.input, call);
      const tokens = session === null ? {} : await freshTokens({ user, session }, call);
      return {
        status: 200,
        body: { ...(await showUser(user)), ...tokens },
        ...(change !== null && { change }),
      };
    },
  };
  return [
    row({
      method: "GET",
      path: "/users/me",
      summary: "The caller's account",
      guards: [guards.signedInAnyhow],
      answers: { 200: userShape },
      handle: async ({ principal }) => ({ status: 200, body: await showUser(signedIn(principal).user) }),
    }),
    exportRoute(services),
    row({ ...update, method: "PATCH", summary: "Change the caller's profile" }),
    row({ ...update, method: "PUT", summary: "Change the caller's profile; absent fields stay" }),
    row({
      method: "DELETE",
      path: "/users/me",
      summary: "Delete the caller's account; with ?erase=now it is anonymised at once",
      refuses: ["fresh_auth_required", "conflict"],
      guards: [guards.signedIn],
      answers: { 204: null },
      async handle({ query, request, client }) {
        await users.delete({ erase: query.get("erase") === "now" }, { request, client });
        return { status: 204, change: { session: "clear" } };
      },
    }),
  ];
}

/** The caller's sessions. */
export function ownSessionRoutes({ sessions, guards, freshTokens }: EndpointServices): readonly Route[] {
  return [
    row({
      method: "GET",
      path: "/users/me/sessions",
      summary: "The caller's sessions",
      guards: [guards.signedIn],
      answers: { 200: z.object({ items: z.array(sessionShape), next_cursor: z.null() }) },
      async handle({ principal }) {
        const { user, sessionId } = inPerson(principal);
        const items = (await sessions.list(user.id)).map((each) => wireSession(each, sessionId));
        return { status: 200, body: { items, next_cursor: null } };
      },
    }),
    row({
      method: "DELETE",
      path: "/users/me/sessions",
      summary: "End every other session of the caller",
      guards: [guards.signedIn],
      answers: { 204: null, 200: tokensShape },
      async handle(call) {
        const { change, ...rotated } = await sessions.revokeOthers(call);
        const tokens = await freshTokens(rotated, call);
        return Object.keys(tokens).length === 0
          ? { status: 204, change }
          : { status: 200, change, body: tokens };
      },
    }),
    row({
      method: "DELETE",
      path: "/users/me/sessions/{id}",
      summary: "End one session of the caller",
      guards: [guards.signedIn],
      answers: { 204: null },
      async handle({ params, principal, request, client }) {
        const { sessionId } = signedIn(principal);
        const id = params.id ?? "";
        if (!(await sessions.revokeOwn(id, { request, client }))) throw new AuthError("not_found");
        return id === sessionId ? { status: 204, change: { session: "clear" } } : { status: 204 };
      },
    }),
  ];
}

// The routes here are guarded; this tells the compiler, and would stop a row that lost its guard.
function signedIn(principal: Principal): SignedIn {
  if (!principal.isAuthenticated) throw new AuthError("not_authenticated");
  return principal;
}
