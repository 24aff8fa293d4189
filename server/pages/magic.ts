import { AuthError } from "latchkey";
import { checkbox, errorSummary, field, hidden } from "./fields.ts";
import { blank, type FormState, formAgain, typed } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, mailOf, onItsWay, opened, shownHint, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "magic";
const title = "Sign in by mail";

/** The page behind a link for signing in; without a link, one can be asked for here, or a code. */
export async function showMagic(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  mailOf(call);
  if (query.get("done") === "asked") return onItsWay(title, "a link for signing in", call.shownMails);
  const moved = fromLink(call, "/magic", useless);
  if (moved !== null) return moved;
  const token = query.has("new") ? null : auth.forms.readMailed(visit);
  return token === null ? askPage(call, blank()) : redeemPage(call, token, blank());
}

/**
 * Signs in, or asks for a link or a code. The page names the account before: whoever was sent a link to somebody else's account would
 * else work in it, and give away what they write there. The form's token shows that this browser was shown the page.
 */
export async function submitMagic(call: PageCall): Promise<PageReply> {
  const fields = await call.visit.request.fields();
  switch (fields.form) {
    case "ask":
      return ask(call);
    case "code":
      return redeemCode(call);
    default:
      return redeem(call);
  }
}

async function redeem(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless();
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const { change } = await mail.redeemMagicLink(token, visit, { isRemembered: fields.remember === "on" });
    return seeOther(auth.config.appPath, { ...change, mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    return formAgain(thrown, fields, async (state) => redeemPage(call, token, state));
  }
}

async function ask(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const email = typed(fields, "email");
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    if (fields.by === "code") {
      const { id } = await mail.requestEmailCode(email, visit);
      return codePage(call, blank({ id, email }));
    }
    await mail.requestMagicLink(email, visit);
    return seeOther("/magic?done=asked", { mailed: "clear" });
  } catch (thrown) {
    return formAgain(thrown, fields, (state) => askPage(call, state));
  }
}

async function redeemCode(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const input = { id: typed(fields, "id"), code: typed(fields, "code") };
    const { change } = await mail.redeemEmailCode(input, visit, { isRemembered: fields.remember === "on" });
    return seeOther(auth.config.appPath, change);
  } catch (thrown) {
    if (!(thrown instanceof AuthError) || thrown.code !== "token_invalid")
      return formAgain(thrown, fields, (state) => codePage(call, state));
    // Typing can mend this one, as long as there are tries.
    const { fields: errors } = thrown;
    return { ...(await codePage(call, { values: fields, errors, message: null })), error: thrown };
  }
}

async function askPage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit } = call;
  const { token, change } = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>${title}</h1>
<p class="lead">Tell us the address of your account. A link or a code to sign in by goes there.</p>
${errorSummary(state, ["email"])}
<form method="post" action="/magic" novalidate>
${hidden("_token", token)}
${hidden("form", "ask")}
${field(state, { name: "email", label: "Email", type: "email", autocomplete: "email" })}
<button class="primary" type="submit" name="by" value="link">Send a link</button>
<button type="submit" name="by" value="code">Send a code</button>
</form>
${shownHint(call.shownMails)}
<p class="aside"><a href="${auth.config.loginPath}">Sign in with a password</a></p>
</div>`;
  return { kind: "document", title, main, change: change ?? undefined };
}

async function redeemPage(call: PageCall, mailed: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit, principal } = call;
  const user = await opened((token) => mailOf(call).openMagicLink(token), mailed);
  if (user === null) return useless();
  const { token, change } = await auth.forms.token(formName, visit);
  const isOther = principal.isAuthenticated && principal.user.id !== user.id;
  const main = html`<div class="card">
<h1>Sign in as ${user.username}</h1>
<p class="lead breakable">This link is for the account of ${user.email}.</p>
${isOther && html`<p>You are signed in as ${principal.displayName} now. Going on signs you out of that account here.</p>`}
${errorSummary(state, [])}
<form method="post" action="/magic" novalidate>
${hidden("_token", token)}
${checkbox(state, { name: "remember", label: "Keep me signed in on this device" })}
<button class="primary" type="submit">Sign in as ${user.username}</button>
</form>
<p class="aside">Is this not your account? Then close this page: somebody sent you a link of theirs.</p>
</div>`;
  return { kind: "document", title: `Sign in as ${user.username}`, main, change: change ?? undefined };
}

async function codePage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit } = call;
  const { token, change } = await auth.forms.token(formName, visit);
  const { id = "", email = "" } = state.values;
  const main = html`<div class="card">
<h1>Type the code</h1>
<p class="lead breakable">If there is an account with the address ${email}, a code of eight digits is on its way to it. It works for ten minutes.</p>
${errorSummary(state, ["code"])}
<form method="post" action="/magic" novalidate>
${hidden("_token", token)}
${hidden("form", "code")}
${hidden("id", id)}
${hidden("email", email)}
${field(state, { name: "code", label: "Code", type: "code", autocomplete: "one-time-code" })}
${checkbox(state, { name: "remember", label: "Keep me signed in on this device" })}
<button class="primary" type="submit">Sign in</button>
</form>
${shownHint(call.shownMails)}
<p class="aside"><a href="/magic?new=1">Ask for another one</a></p>
</div>`;
  return { kind: "document", title: "Type the code", main, change: change ?? undefined };
}

function useless(): DocumentReply {
  return uselessLink(title, "Links for signing in work once, and for 15 minutes.", "/magic?new=1");
}
