import { AuthError } from "latchkey";
import { onward } from "./error-page.ts";
import { errorSummary, field, hidden, newPasswordFields, whosePassword } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret, typed } from "./form.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { formOfLink, fromLink, onItsWay, opened, shownHint, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "reset";

/** The page behind a link for choosing a password; without a link, one can be asked for here. */
export async function showReset(call: PageCall): Promise<PageReply> {
  const { auth, visit, query, mail } = call;
  const { reset: words } = call.language.words;
  const done = query.get("done");
  if (done === "1") return donePage(call);
  if (done === "asked" && mail !== null)
    return onItsWay(call, { page: "reset", title: words.title }, words.onItsWay);
  const moved = fromLink(call, "/reset", () => useless(call));
  if (moved !== null) return moved;
  const token = query.has("new") ? null : auth.forms.readMailed(visit);
  if (token !== null) return resetPage(call, token, blank());
  return mail === null ? useless(call) : askPage(call, blank());
}

/**
 * Chooses the password, or asks for the link. The page names the account before: whoever was sent a link to somebody else's would
 * else take that account for theirs. The form's token shows that this browser was shown the form: with a cookie that goes
 * along across sites (`sameSite: none`), another site could otherwise post a password of its choice.
 */
export async function submitReset(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  if (fields.form === "ask") return ask(call);
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless(call);
  const password = secret(fields, "new_password");
  try {
    await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
    const differing = mismatch(fields, "new_password");
    if (differing.length > 0) {
      const owner = await auth.users.openResetToken(token);
      assertNone([...(await auth.users.passwordErrors(password, owner)), ...differing]);
    }
    await auth.users.resetPassword({ token, password }, visit);
    return seeOther("/reset?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(call, thrown, fields, (state) => resetPage(call, token, state));
  }
}

async function ask(call: PageCall): Promise<PageReply> {
  const { auth, visit, mail } = call;
  const fields = await visit.request.fields();
  if (mail === null) return useless(call);
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    await mail.requestReset(typed(fields, "email"), visit);
    return seeOther("/reset?done=asked", { mailed: "clear" });
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => askPage(call, state));
  }
}

async function askPage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { form: labels, reset } = language.words;
  const { token, change } = await auth.forms.token(formName, visit);
  return {
    kind: "document",
    page: "reset",
    title: reset.title,
    lead: html`<p class="lead">${reset.ask}</p>`,
    messages: errorSummary(call, state, ["email"]),
    form: html`<form method="post" action="/reset" novalidate>
${hidden("_token", token)}
${hidden("form", "ask")}
${field(call, state, { name: "email", label: labels.email, type: "email", autocomplete: "email" })}
<button class="primary" type="submit">${reset.send}</button>
</form>`,
    aside: html`${shownHint(call)}
<p class="aside"><a href="${auth.config.loginPath}">${reset.back}</a></p>`,
    change: change ?? undefined,
  };
}

async function resetPage(call: PageCall, link: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { reset, mailed } = language.words;
  const owner = await opened((token) => auth.users.openResetToken(token), link);
  if (owner === null) return useless(call);
  const { token, change } = await auth.forms.token(formOfLink(formName, link), visit);
  return {
    kind: "document",
    page: "reset",
    title: reset.title,
    lead: html`<p class="lead breakable">${fill(mailed.whose, { email: owner.email })} ${reset.lead}</p>`,
    messages: errorSummary(call, state, ["new_password", "confirm_password"]),
    form: html`<form method="post" action="/reset" novalidate>
${hidden("_token", token)}
${whosePassword(owner)}
${newPasswordFields(call, state)}
<button class="primary" type="submit">${reset.button}</button>
</form>`,
    change: change ?? undefined,
  };
}

function donePage({ auth, language }: PageCall): DocumentReply {
  const { login, reset } = language.words;
  return {
    kind: "document",
    page: "reset",
    title: reset.doneTitle,
    lead: html`<p>${reset.done}</p>`,
    form: onward(auth.config.loginPath, login.title),
  };
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: life, askAdministrator } = call.language.words.reset;
  const link = { page: "reset", title } as const;
  return call.mail === null
    ? uselessLink(call, link, `${life} ${askAdministrator}`)
    : uselessLink(call, link, life, "/reset?new=1");
}
