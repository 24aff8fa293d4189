import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { Reply } from "../ports/route.ts";
import type { ShowUser } from "./services.ts";

/** What every route answers that starts or rotates a session. */
export async function signInReply(
  { user, session, change }: SignIn,
  status: number,
  showUser: ShowUser,
): Promise<Reply & { readonly body: object }> {
  const started = change.session;
  // A session that tokens carry has no CSRF token: nothing sends them by itself.
  const csrfToken = typeof started === "object" ? started.csrfToken : null;
  const body = {
    csrf_token: csrfToken,
    user: await showUser(user),
    expires_at: session.expiresAt.toISOString(),
  };
  return { status, body, change };
}
