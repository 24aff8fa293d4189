import * as z from "zod/mini";
import type { Route } from "../ports/route.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { userShape } from "./wire.ts";

/** Signing out, and what a browser asks about its session. */
export function sessionRoutes({ sessions, guards, showUser }: EndpointServices): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/auth/logout",
      summary: "Sign out",
      guards: [guards.anyone],
      answers: { 200: z.object({ ended: z.boolean() }) },
      async handle({ request, client }) {
        const { ended, change } = await sessions.logout({ request, client });
        return { status: 200, body: { ended }, change };
      },
    }),
    row({
      method: "POST",
      path: "/auth/logout-all",
      summary: "Sign out everywhere",
      guards: [guards.signedInAnyhow],
      answers: { 200: z.object({ ended: z.int() }) },
      async handle({ request, client }) {
        const { count, change } = await sessions.logoutAll({ request, client });
        return { status: 200, body: { ended: count }, change };
      },
    }),
    row({
      method: "GET",
      path: "/auth/csrf",
      summary: "A fresh CSRF token; null without a session or another proof that browsers send by themselves",
      guards: [guards.anyone],
      answers: { 200: z.object({ csrf_token: z.nullable(z.string()) }) },
      async handle({ request, client }) {
        return { status: 200, body: { csrf_token: await sessions.csrfToken({ request, client }) } };
      },
    }),
    row({
      method: "GET",
      path: "/auth/session",
      summary: "Who is signed in; also answers for nobody",
      guards: [guards.anyone],
      answers: {
        200: z.object({
          authenticated: z.boolean(),
          user: z.nullable(userShape),
          via: z.nullable(z.string()),
          session_id: z.nullable(z.string()),
          authenticated_at: z.nullable(z.iso.datetime()),
          /** Who acts in the user's place. */
          impersonator: z.nullable(z.object({ id: z.string(), username: z.string() })),
        }),
      },
      async handle({ principal }) {
        if (!principal.isAuthenticated) {
          const nobody = {
            authenticated: false,
            user: null,
            via: null,
            session_id: null,
            authenticated_at: null,
            impersonator: null,
          };
          return { status: 200, body: nobody };
        }
        const { user, via, sessionId, authTime, impersonator: by } = principal;
        const impersonator = by == null ? null : { id: by.id, username: by.username };
        const somebody = {
          authenticated: true,
          user: await showUser(user),
          via,
          session_id: sessionId,
          impersonator,
        };
        // Of somebody in whose place another acts it is not known.
        const authenticatedAt = by == null ? wireAuthTime(authTime) : null;
        return { status: 200, body: { ...somebody, authenticated_at: authenticatedAt } };
      },
    }),
  ];
}

// Null where nobody knows when, as with a provider that does not say.
function wireAuthTime(authTime: Date): string | null {
  return authTime.getTime() === 0 ? null : authTime.toISOString();
}
