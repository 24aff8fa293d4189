import { AuthError } from "latchkey";
import type { OpenedVerification } from "latchkey/mail";
import { onward } from "./error-page.ts";
import { errorSummary, field, hidden } from "./fields.ts";
import { blank, type FormState, formAgain, secret, typed } from "./form.ts";
import { type Html, html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { withNext } from "./login.ts";
import { formOfLink, fromLink, mailOf, opened, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "verify";

/** The page behind a link that confirms an address, or completes a registration. */
export async function showVerify(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  const mail = mailOf(call);
  if (query.get("done") === "1") return donePage(call);
  const moved = fromLink(call, "/verify", () => useless(call));
  if (moved !== null) return moved;
  const token = auth.forms.readMailed(visit);
  const found = token === null ? null : await opened((text) => mail.openVerification(text, visit), token);
  return token === null || found === null ? useless(call) : verifyPage(call, token, found, blank());
}

/** Confirms the address, or makes the account. */
export async function submitVerify(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  const found = token === null ? null : await opened((text) => mail.openVerification(text, visit), token);
  if (token === null || found === null) return useless(call);
  const [password, username] = [secret(fields, "password"), typed(fields, "username")];
  try {
    await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
    const input = { token, ...(password !== "" && { password }), ...(username !== "" && { username }) };
    const verified = await mail.verify(input, visit);
    const { loginPath, appPath } = auth.config;
    if (verified.kind === "address")
      return seeOther("/verify?done=1", { ...verified.change, mailed: "clear" });
    const { signIn } = verified;
    return signIn === null
      ? seeOther(`${loginPath}?done=registered`, { mailed: "clear" })
      : seeOther(appPath, { ...signIn.change, mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(call, thrown, fields, (state) => verifyPage(call, token, found, state));
  }
}

async function verifyPage(
  call: PageCall,
  mailed: string,
  found: OpenedVerification,
  state: FormState,
): Promise<DocumentReply> {
  const { auth, visit } = call;
  const { token, change } = await auth.forms.token(formOfLink(formName, mailed), visit);
  const page = found.kind === "registration" ? registration(call, found, state) : address(call, found);
  const form = html`<form method="post" action="/verify" novalidate>
${hidden("_token", token)}
${page.fields}
<button class="primary" type="submit">${page.button}</button>
</form>`;
  return {
    kind: "document",
    page: "verify",
    title: page.title,
    lead: page.lead,
    messages: errorSummary(call, state, ["password", "username"]),
    form: page.button === null ? page.fields : form,
    aside: page.aside,
    change: change ?? undefined,
  };
}

interface Parts {
  readonly title: string;
  readonly lead: Html;
  /** Without a button: what to do instead. */
  readonly fields: Html;
  /** Null: nothing can be done here. */
  readonly button: string | null;
  readonly aside: Html;
}

function registration(
  call: PageCall,
  { email, asksPassword }: Extract<OpenedVerification, { kind: "registration" }>,
  state: FormState,
): Parts {
  const { form: labels, verify, register } = call.language.words;
  const isTaken = state.errors.some((error) => error.field === "username");
  return {
    title: verify.registerTitle,
    lead: html`<p class="lead breakable">${fill(verify.gets, { email })}</p>
${asksPassword && html`<p>${verify.otherBrowser}</p>`}`,
    fields: html`${
      asksPassword &&
      field(call, state, {
        name: "password",
        label: labels.password,
        type: "password",
        autocomplete: "current-password",
      })
    }
${isTaken && field(call, state, { name: "username", label: verify.anotherUsername, autocomplete: "username" })}`,
    button: register.button,
    aside: html`<p class="aside">${verify.notYou}</p>`,
  };
}

function address(
  { auth, principal, language }: PageCall,
  { user, email, isChange }: Extract<OpenedVerification, { kind: "address" }>,
): Parts {
  const { verify, login, logout } = language.words;
  const lead = html`<p class="lead breakable">${fill(isChange ? verify.change : verify.confirm, { email })}</p>`;
  const none = { title: verify.title, lead, button: null, aside: html`` };
  if (!principal.isAuthenticated) {
    const toLogin = withNext(auth.config.loginPath, "/verify");
    return { ...none, fields: html`<p>${verify.signIn}</p>${onward(toLogin, login.title)}` };
  }
  if (principal.user.id !== user.id) {
    const fields = html`<p>${verify.otherAccount}</p>
<p><a class="button" href="/logout">${logout.title}</a></p>`;
    return { ...none, fields };
  }
  const aside = html`<p class="aside">${verify.notAsked}</p>`;
  return { ...none, fields: html``, button: verify.button, aside };
}

function donePage({ auth, language }: PageCall): DocumentReply {
  const { verify } = language.words;
  return {
    kind: "document",
    page: "verify",
    title: verify.doneTitle,
    lead: html`<p>${verify.done}</p>`,
    form: onward(auth.config.appPath, verify.goOn),
  };
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: whatToDo } = call.language.words.verify;
  return uselessLink(call, { page: "verify", title }, whatToDo);
}
