import type { SignedIn } from "latchkey";
import { checkbox, errorSummary, field, hidden } from "../fields.ts";
import { assertNone, blank, type FormState, formAgain, missing, secret } from "../form.ts";
import { type Html, html } from "../html.ts";
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
    return formAgain(thrown, fields, (state) => deletePage(current, state));
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
  const ways = await proofWays(call);
  const isToSignIn = !ways.hasPassword && isStale(call);
  const main = html`<div class="card">
<h1>Delete your account</h1>
${errorSummary(state, ["password"])}
<p>Every session ends, and nobody can sign in as <strong class="breakable">${call.principal.user.email}</strong> any more.
For 30 days an administrator can bring the account back; then its data is erased.</p>
${isToSignIn ? signInFirst(call, ways) : await deleteForm(call, state, ways)}
<p class="aside"><a href="/account">Keep my account</a></p>
</div>`;
  return { kind: "document", title: "Delete your account", main };
}

async function deleteForm(
  { auth, visit, principal }: PageCall<SignedIn>,
  state: FormState,
  { hasPassword }: ProofWays,
): Promise<Html> {
  return html`<form method="post" action="/account/delete" novalidate>
${hidden("_token", await auth.sessions.csrfToken(visit))}
<input hidden type="text" autocomplete="username" value="${principal.user.email}" readonly>
${checkbox(state, { name: "erase", label: "Erase my data now. Nobody can bring it back." })}
${hasPassword && field(state, { name: "password", label: "Current password", type: "password", autocomplete: "current-password" })}
<button class="danger" type="submit">Delete account</button>
</form>`;
}

function signInFirst(call: PageCall<SignedIn>, ways: ProofWays): Html {
  return html`<p>Sign in again first: a screen that was left open is not you.</p>
${signInAgain(call, ways, "/account/delete")}`;
}
