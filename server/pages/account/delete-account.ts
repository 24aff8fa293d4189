import type { SignedIn } from "latchkey";
import { checkbox, errorSummary, field, hidden } from "../fields.ts";
import { assertNone, blank, type FormState, formAgain, missing, secret } from "../form.ts";
import { type Html, html } from "../html.ts";
import { fill } from "../language/fill.ts";
import { type DocumentReply, type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { confirmation, isStale, type ProofWays, proofWays, proveAgain, signInAgain } from "./prove-again.ts";

/** Asks whether one really means it. */
export function showDeleteAccount(call: PageCall<SignedIn>): Promise<DocumentReply> {
  return deletePage(call, blank());
}

/**
 * Deletes the account. The password is always asked for: a screen that was left open is not its owner. Who has none has to have
 * signed in a moment ago.
 */
export async function submitDeleteAccount(call: PageCall<SignedIn>): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  const erase = fields.erase === "on";
  let current = call;
  try {
    const ways = await proofWays(call);
    if (ways.hasPassword || isStale(call)) current = await proven(call, fields, ways);
    await auth.users.delete({ erase }, current.visit);
    return seeOther(`${auth.config.loginPath}?done=${erase ? "erased" : "deleted"}`, { session: "clear" });
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => deletePage(current, state));
  }
}

async function proven(
  call: PageCall<SignedIn>,
  fields: Fields,
  ways: ProofWays,
): Promise<PageCall<SignedIn>> {
  const password = secret(fields, "password");
  if (ways.hasPassword) assertNone(missing({ password }, { password: "Password is required" }));
  return proveAgain(call, confirmation(fields, ways, "to delete your account"));
}

async function deletePage(call: PageCall<SignedIn>, state: FormState): Promise<DocumentReply> {
  const { deletion: words } = call.language.words;
  const ways = await proofWays(call);
  const isToSignIn = !ways.hasPassword && isStale(call);
  const email = html`<strong class="breakable">${call.principal.user.email}</strong>`;
  return {
    kind: "document",
    page: "delete-account",
    title: words.title,
    lead: html`<p>${fill(words.what, { email })}</p>`,
    messages: errorSummary(call, state, ["password"]),
    form: isToSignIn ? signInFirst(call, ways) : await deleteForm(call, state, ways),
    aside: html`<p class="aside"><a href="/account">${words.keep}</a></p>`,
  };
}

async function deleteForm(
  call: PageCall<SignedIn>,
  state: FormState,
  { hasPassword }: ProofWays,
): Promise<Html> {
  const { auth, visit, principal, language } = call;
  const { deletion: words, form: labels } = language.words;
  return html`<form method="post" action="/account/delete" novalidate>
${hidden("_token", await auth.sessions.csrfToken(visit))}
<input hidden type="text" autocomplete="username" value="${principal.user.email}" readonly>
${checkbox(state, { name: "erase", label: words.erase })}
${hasPassword && field(call, state, { name: "password", label: labels.currentPassword, type: "password", autocomplete: "current-password" })}
<button class="danger" type="submit">${words.button}</button>
</form>`;
}

function signInFirst(call: PageCall<SignedIn>, ways: ProofWays): Html {
  return html`<p>${call.language.words.deletion.signInFirst}</p>
${signInAgain(call, ways, "/account/delete")}`;
}
