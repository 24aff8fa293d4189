import { AuthError, type SignedIn } from "latchkey";
import { blank } from "../form.ts";
import { html } from "../html.ts";
import { fill } from "../language/fill.ts";
import type { DocumentReply, PageCall, PageReply } from "../page.ts";
import { refusalWords } from "../providers.ts";
import { accountsSection, submitAccounts } from "./accounts.ts";
import { keysSection, submitKeys, submitNewKey } from "./keys.ts";
import { passwordSection, submitPassword } from "./password.ts";
import { profileSection, submitConfirm, submitProfile } from "./profile.ts";
import { proofWays } from "./prove-again.ts";
import type { AccountView } from "./section.ts";
import { sessionsSection, submitSessions } from "./sessions.ts";

/** One's own account: profile, password, accounts at providers, API keys, sessions. */
export function showAccount(call: PageCall<SignedIn>): Promise<DocumentReply> {
  const message = refusalWords(call);
  if (message === null) return accountPage(call);
  return accountPage(call, { section: "accounts", state: { ...blank(), message } });
}

/** Does what one of the page's forms asks for; the field `form` says which. */
export async function submitAccount(call: PageCall<SignedIn>): Promise<PageReply> {
  const fields = await call.visit.request.fields();
  if (isPasswordFirst(call) && fields.form !== "password") throw new AuthError("password_change_required");
  const submit = fields.form === undefined ? undefined : forms.get(fields.form);
  if (submit === undefined) throw new AuthError("invalid_input", { message: "The form is not known." });
  return submit(call, fields, (again, section, state, created) =>
    accountPage(again, state === null ? null : { section, state }, created),
  );
}

const forms: ReadonlyMap<string, typeof submitProfile> = new Map([
  ["profile", submitProfile],
  ["confirm", submitConfirm],
  ["password", submitPassword],
  ["accounts", submitAccounts],
  ["new-key", submitNewKey],
  ["keys", submitKeys],
  ["sessions", submitSessions],
]);

async function accountPage(
  call: PageCall<SignedIn>,
  refused: AccountView["refused"] = null,
  created: AccountView["created"] = null,
): Promise<DocumentReply> {
  const { auth, visit, query } = call;
  const token = (await auth.sessions.csrfToken(visit)) ?? "";
  const ways = await proofWays(call);
  const view: AccountView = { call, token, ways, refused, created, done: query.get("done") };
  if (isPasswordFirst(call)) return choosePassword(view);
  const { account: words } = call.language.words;
  return {
    kind: "document",
    page: "account",
    title: words.title,
    isWide: true,
    form: html`${profileSection(view)}
${passwordSection(view)}
${await accountsSection(view)}
${await keysSection(view)}
${await sessionsSection(view)}
<section class="panel split" aria-labelledby="delete-title">
<div class="about">
<h2 id="delete-title">${words.delete}</h2>
<p>${words.deleteAbout}</p>
</div>
<div class="body"><p><a class="button danger" href="/account/delete">${words.deleteOpen}</a></p></div>
</section>`,
  };
}

function isPasswordFirst({ principal }: PageCall<SignedIn>): boolean {
  return principal.user.mustChangePassword && principal.impersonator === null;
}

// Until then the account is no business of who may have been told the password of another.
function choosePassword(view: AccountView): DocumentReply {
  const { account: words } = view.call.language.words;
  const signOut = html`<a href="/logout">${words.firstSignOut}</a>`;
  return {
    kind: "document",
    page: "account",
    title: words.firstTitle,
    isWide: true,
    lead: html`<p class="lead">${fill(words.first, { signOut })}</p>`,
    form: passwordSection(view),
  };
}
