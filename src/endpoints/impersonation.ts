import * as z from "zod/mini";
import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { Reply, Route } from "../ports/route.ts";
import type { AdministrationParts } from "./administration.ts";
import { row } from "./row.ts";
import type { ShowUser } from "./services.ts";
import { userShape } from "./wire.ts";

const shape = z.object({ csrf_token: z.nullable(z.string()), user: userShape, expires_at: z.iso.datetime() });

/** Acting in somebody's place, and the way back. */
export function impersonationRoutes({
  administration,
  guards,
  requires,
  showUser,
}: AdministrationParts): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/users/{user}/impersonate",
      summary: "Act in somebody's place, for an hour at most. Needs a fresh sign-in",
      guards: [requires("user:impersonate")],
      answers: { 200: shape },
      handle: async ({ params, ...call }) =>
        reply(await administration.impersonate(params.user ?? "", call), showUser),
    }),
    row({
      method: "POST",
      path: "/auth/impersonation/stop",
      summary: "Go back from somebody's place to one's own",
      guards: [guards.signedInAnyhow],
      answers: { 200: shape },
      handle: async (call) => reply(await administration.stopImpersonating(call), showUser),
    }),
  ];
}

async function reply({ user, session, change }: SignIn, showUser: ShowUser): Promise<Reply> {
  const { session: started } = change;
  const csrfToken = typeof started === "object" ? started.csrfToken : null;
  const body = {
    csrf_token: csrfToken,
    user: await showUser(user),
    expires_at: session.expiresAt.toISOString(),
  };
  return { status: 200, body, change };
}
