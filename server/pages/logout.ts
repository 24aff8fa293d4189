import { hidden } from "./fields.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { type PageCall, type PageReply, seeOther } from "./page.ts";

/** Name of the button that ends every session of the account. */
const everywhereField = "everywhere";

/**
 * A page with a button: a GET that signs out could be sent by any image on any site. Where cookies hold the sessions a second one
 * ends them all, since the first leaves a copy of the cookie at work.
 */
export async function showLogout({ auth, visit, principal, language }: PageCall): Promise<PageReply> {
  if (!principal.isAuthenticated) return { kind: "redirect", status: 302, to: auth.config.loginPath };
  const { title, lead, copies, everywhere, stay } = language.words.logout;
  const user = html`<strong class="breakable">${principal.displayName}</strong>`;
  // What a cookie holds, a copy of it holds as well.
  const leavesCopies = auth.config.session.mode === "stateless";
  return {
    kind: "document",
    page: "logout",
    title,
    lead: html`<p class="lead">${fill(lead, { user })}</p>
${leavesCopies && html`<p>${copies}</p>`}`,
    form: html`<form method="post" action="/logout">
${hidden("_token", await auth.sessions.csrfToken(visit))}
<button class="primary" type="submit">${title}</button>
${leavesCopies && html`<button type="submit" name="${everywhereField}" value="on">${everywhere}</button>`}
</form>`,
    aside: html`<p class="aside"><a href="${auth.config.appPath}">${stay}</a></p>`,
  };
}

/** Ends the session of this browser, or with the field `everywhere` all that there are. */
export async function submitLogout({ auth, visit }: PageCall): Promise<PageReply> {
  const fields = await visit.request.fields();
  if (fields[everywhereField] !== undefined) {
    const everywhere = await auth.sessions.logoutAll(visit);
    return seeOther(`${auth.config.loginPath}?done=signed-out-everywhere`, everywhere.change);
  }
  const { change } = await auth.sessions.logout(visit);
  return seeOther(`${auth.config.loginPath}?done=signed-out`, change);
}
