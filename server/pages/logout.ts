import { hidden } from "./fields.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { type PageCall, type PageReply, seeOther } from "./page.ts";

/** A page with one button: a GET that signs out could be sent by any image on any site. */
export async function showLogout({ auth, visit, principal, language }: PageCall): Promise<PageReply> {
  if (!principal.isAuthenticated) return { kind: "redirect", status: 302, to: auth.config.loginPath };
  const { title, lead, stay } = language.words.logout;
  const user = html`<strong class="breakable">${principal.displayName}</strong>`;
  return {
    kind: "document",
    page: "logout",
    title,
    lead: html`<p class="lead">${fill(lead, { user })}</p>`,
    form: html`<form method="post" action="/logout">
${hidden("_token", await auth.sessions.csrfToken(visit))}
<button class="primary" type="submit">${title}</button>
</form>`,
    aside: html`<p class="aside"><a href="${auth.config.appPath}">${stay}</a></p>`,
  };
}

/** Ends the session of this browser. */
export async function submitLogout({ auth, visit }: PageCall): Promise<PageReply> {
  const { change } = await auth.sessions.logout(visit);
  return seeOther(`${auth.config.loginPath}?done=signed-out`, change);
}
