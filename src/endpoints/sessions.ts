import * as z from "zod/mini";
import type { Route } from "../ports/route.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { userShape, wireUser } from "./wire.ts";

/** Signing out, and what a browser asks about its session. */
export function sessionRoutes({ sessions, guards }: EndpointServices): readonly Route[] {
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
      guards: [guards.signedIn],
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
          };
          return { status: 200, body: nobody };
        }
        const { user, via, sessionId, authTime } = principal;
        const somebody = { authenticated: true, user: wireUser(user), via, session_id: sessionId };
        return { status: 200, body: { ...somebody, authenticated_at: wireAuthTime(authTime) } };
      },
    }),
  ];
}

// Null where nobody knows when, as with a provider that does not say.
function wireAuthTime(authTime: Date): string | null {
  return authTime.getTime() === 0 ? null : authTime.toISOString();
}
