import { AuthError, type SessionInfo, type SignedIn } from "latchkey";
import { hidden } from "../fields.ts";
import { formAgain } from "../form.ts";
import { type Html, html } from "../html.ts";
import { fill, fillText } from "../language/fill.ts";
import { type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { deviceWords, moment } from "../words.ts";
import { type AccountView, type Section, type ShowAgain, section } from "./section.ts";

/** Where one is signed in, and the buttons that end it. Of sessions that cookies hold nobody has a list: they end together. */
export async function sessionsSection(view: AccountView): Promise<Html> {
  const { auth, language, principal } = view.call;
  const { sessions: words } = language.words;
  // Where somebody is, is no business of who acts in their place.
  if (principal.impersonator !== null) return html``;
  const currentId = principal.sessionId;
  const sessions = ownFirst(await auth.sessions.list(principal.user.id), currentId);
  const isComplete = auth.config.session.mode === "stateful";
  const about: Section = {
    name: "sessions",
    title: words.title,
    lead: isComplete ? words.lead : words.leadUnlisted,
    fieldNames: [],
    doneMessages: new Map([
      ["session", words.done],
      ["sessions", words.doneAll],
    ]),
  };
  const mayHaveOthers = !isComplete || sessions.some(({ id }) => id !== currentId);
  return section(
    view,
    about,
    html`${
      sessions.length > 0 &&
      html`<ul class="sessions">
${sessions.map((each) => sessionItem(view, each, each.id === currentId))}
</ul>`
    }
${
  mayHaveOthers &&
  html`<form method="post" action="/account">
${hidden("_token", view.token)}
${hidden("form", "sessions")}
<button type="submit">${words.endAll}</button>
</form>`
}`,
  );
}

/** Ends one session, or with no `session` every other one. */
export async function submitSessions(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  const { auth, visit, principal } = call;
  try {
    if (fields.session === undefined) {
      const { change } = await auth.sessions.revokeOthers(visit);
      return seeOther("/account?done=sessions#sessions", change);
    }
    const isThere = await auth.sessions.revokeOwn(fields.session, visit);
    if (!isThere) throw new AuthError("not_found", { message: "That session has ended already." });
    if (fields.session !== principal.sessionId) return seeOther("/account?done=session#sessions");
    return seeOther(`${auth.config.loginPath}?done=signed-out`, { session: "clear" });
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => showAgain(call, "sessions", state));
  }
}

function ownFirst(sessions: readonly SessionInfo[], ownId: string | null): readonly SessionInfo[] {
  return [...sessions.filter(({ id }) => id === ownId), ...sessions.filter(({ id }) => id !== ownId)];
}

function sessionItem({ call, token }: AccountView, session: SessionInfo, isCurrent: boolean): Html {
  const { sessions: words } = call.language.words;
  const { id, ip, userAgent, lastUsedAt, createdAt, amr } = session;
  // Where they sit is no business of the person for whom they act.
  const isAdministrator = amr.includes("imp");
  const device = isAdministrator ? words.administrator : deviceWords(userAgent, call.language);
  const where = isAdministrator ? words.atMost : (ip ?? words.unknownAddress);
  return html`<li>
<div class="session">
<p class="device">${device}${isCurrent && html` <span class="badge">${words.this}</span>`}</p>
<p class="meta"><span>${where}</span> <span>${fill(words.used, { when: moment(lastUsedAt, call) })}</span> <span>${fill(words.signedIn, { when: moment(createdAt, call) })}</span></p>
</div>
${
  !isCurrent &&
  html`<form method="post" action="/account">
${hidden("_token", token)}
${hidden("form", "sessions")}
${hidden("session", id)}
<button class="small" type="submit">${words.end}<span class="unseen">${fillText(words.endWhich, { device, where })}</span></button>
</form>`
}
</li>`;
}
