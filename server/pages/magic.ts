import { AuthError } from "latchkey";
import { checkbox, errorSummary, field, hidden } from "./fields.ts";
import { blank, type FormState, formAgain, told, typed } from "./form.ts";
import { html } from "./html.ts";
import { fill, fillText } from "./language/fill.ts";
import { formOfLink, fromLink, mailOf, onItsWay, opened, shownHint, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "magic";

/** The page behind a link for signing in; without a link, one can be asked for here, or a code. */
export async function showMagic(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  const { magic: words } = call.language.words;
  mailOf(call);
  if (query.get("done") === "asked")
    return onItsWay(call, { page: "magic", title: words.title }, words.onItsWay);
  const moved = fromLink(call, "/magic", () => useless(call));
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
  if (token === null) return useless(call);
  try {
    await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
    const { change } = await mail.redeemMagicLink(token, visit, { isRemembered: fields.remember === "on" });
    return seeOther(auth.config.appPath, { ...change, mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(call, thrown, fields, async (state) => redeemPage(call, token, state));
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
    return formAgain(call, thrown, fields, (state) => askPage(call, state));
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
      return formAgain(call, thrown, fields, (state) => codePage(call, state));
    // Typing can mend this one, as long as there are tries.
    const errors = told(thrown.fields, call.language);
    return { ...(await codePage(call, { values: fields, errors, message: null })), error: thrown };
  }
}

async function askPage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { form: labels, magic } = language.words;
  const { token, change } = await auth.forms.token(formName, visit);
  return {
    kind: "document",
    page: "magic",
    title: magic.title,
    lead: html`<p class="lead">${magic.ask}</p>`,
    messages: errorSummary(call, state, ["email"]),
    form: html`<form method="post" action="/magic" novalidate>
${hidden("_token", token)}
${hidden("form", "ask")}
${field(call, state, { name: "email", label: labels.email, type: "email", autocomplete: "email" })}
<button class="primary" type="submit" name="by" value="link">${magic.sendLink}</button>
<button type="submit" name="by" value="code">${magic.sendCode}</button>
</form>`,
    aside: html`${shownHint(call)}
<p class="aside"><a href="${auth.config.loginPath}">${magic.withPassword}</a></p>`,
    change: change ?? undefined,
  };
}

async function redeemPage(call: PageCall, link: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit, principal, language } = call;
  const { form: labels, magic, mailed } = language.words;
  const user = await opened((token) => mailOf(call).openMagicLink(token), link);
  if (user === null) return useless(call);
  const { token, change } = await auth.forms.token(formOfLink(formName, link), visit);
  const isOther = principal.isAuthenticated && principal.user.id !== user.id;
  const title = fillText(magic.as, { user: user.username });
  return {
    kind: "document",
    page: "magic",
    title,
    lead: html`<p class="lead breakable">${fill(mailed.whose, { email: user.email })}</p>
${isOther && html`<p>${fill(magic.other, { user: principal.displayName })}</p>`}`,
    messages: errorSummary(call, state, []),
    form: html`<form method="post" action="/magic" novalidate>
${hidden("_token", token)}
${checkbox(state, { name: "remember", label: labels.remember })}
<button class="primary" type="submit">${title}</button>
</form>`,
    aside: html`<p class="aside">${magic.notYours}</p>`,
    change: change ?? undefined,
  };
}

async function codePage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { form: labels, login, magic } = language.words;
  const { token, change } = await auth.forms.token(formName, visit);
  const { id = "", email = "" } = state.values;
  return {
    kind: "document",
    page: "magic",
    title: magic.codeTitle,
    lead: html`<p class="lead breakable">${fill(magic.code, { email })}</p>`,
    messages: errorSummary(call, state, ["code"]),
    form: html`<form method="post" action="/magic" novalidate>
${hidden("_token", token)}
${hidden("form", "code")}
${hidden("id", id)}
${hidden("email", email)}
${field(call, state, { name: "code", label: labels.code, type: "code", autocomplete: "one-time-code" })}
${checkbox(state, { name: "remember", label: labels.remember })}
<button class="primary" type="submit">${login.button}</button>
</form>`,
    aside: html`${shownHint(call)}
<p class="aside"><a href="/magic?new=1">${magic.another}</a></p>`,
    change: change ?? undefined,
  };
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: whatToDo } = call.language.words.magic;
  return uselessLink(call, { page: "magic", title }, whatToDo, "/magic?new=1");
}
