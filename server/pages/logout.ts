import { hidden } from "./fields.ts";
import { html } from "./html.ts";
import { type PageCall, type PageReply, seeOther } from "./page.ts";

/** A page with one button: a GET that signs out could be sent by any image on any site. */
export async function showLogout({ auth, visit, principal }: PageCall): Promise<PageReply> {
  if (!principal.isAuthenticated) return { kind: "redirect", status: 302, to: auth.config.loginPath };
  const main = html`<div class="card">
<h1>Sign out</h1>
<p class="lead">You are signed in as <strong class="breakable">${principal.displayName}</strong>.</p>
<form method="post" action="/logout">
${hidden("_token", await auth.sessions.csrfToken(visit))}
<button class="primary" type="submit">Sign out</button>
</form>
<p class="aside"><a href="${auth.config.appPath}">Stay signed in</a></p>
</div>`;
  return { kind: "document", title: "Sign out", main };
}

/** Ends the session of this browser. */
export async function submitLogout({ auth, visit }: PageCall): Promise<PageReply> {
  const { change } = await auth.sessions.logout(visit);
  return seeOther(`${auth.config.loginPath}?done=signed-out`, change);
}
