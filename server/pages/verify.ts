import { AuthError } from "latchkey";
import type { OpenedVerification } from "latchkey/mail";
import { errorSummary, field, hidden } from "./fields.ts";
import { blank, type FormState, formAgain, secret, typed } from "./form.ts";
import { type Html, html } from "./html.ts";
import { withNext } from "./login.ts";
import { fromLink, mailOf, opened, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "verify";
const title = "Confirm your address";

/** The page behind a link that confirms an address, or completes a registration. */
export async function showVerify(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  const mail = mailOf(call);
  if (query.get("done") === "1") return donePage(call);
  const moved = fromLink(call, "/verify", useless);
  if (moved !== null) return moved;
  const token = auth.forms.readMailed(visit);
  const found = token === null ? null : await opened((text) => mail.openVerification(text, visit), token);
  return found === null ? useless() : verifyPage(call, found, blank());
}

/** Confirms the address, or makes the account. */
export async function submitVerify(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  const found = token === null ? null : await opened((text) => mail.openVerification(text, visit), token);
  if (token === null || found === null) return useless();
  const [password, username] = [secret(fields, "password"), typed(fields, "username")];
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
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
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    return formAgain(thrown, fields, (state) => verifyPage(call, found, state));
  }
}

async function verifyPage(
  call: PageCall,
  found: OpenedVerification,
  state: FormState,
): Promise<DocumentReply> {
  const { auth, visit } = call;
  const { token, change } = await auth.forms.token(formName, visit);
  const page = found.kind === "registration" ? registration(found, state) : address(call, found);
  const main = html`<div class="card">
<h1>${page.heading}</h1>
${page.lead}
${errorSummary(state, ["password", "username"])}
${
  page.button !== null &&
  html`<form method="post" action="/verify" novalidate>
${hidden("_token", token)}
${page.fields}
<button class="primary" type="submit">${page.button}</button>
</form>`
}
${page.after}
</div>`;
  return { kind: "document", title: page.heading, main, change: change ?? undefined };
}

interface Parts {
  readonly heading: string;
  readonly lead: Html;
  readonly fields: Html;
  /** Null: nothing can be done here. */
  readonly button: string | null;
  readonly after: Html;
}

function registration(
  { email, asksPassword }: Extract<OpenedVerification, { kind: "registration" }>,
  state: FormState,
): Parts {
  const isTaken = state.errors.some((error) => error.field === "username");
  return {
    heading: "Create your account",
    lead: html`<p class="lead breakable">The account gets the address ${email}.</p>
${asksPassword && html`<p>This is not the browser in which the account was begun. Enter the password that was chosen there.</p>`}`,
    fields: html`${
      asksPassword &&
      field(state, {
        name: "password",
        label: "Password",
        type: "password",
        autocomplete: "current-password",
      })
    }
${isTaken && field(state, { name: "username", label: "Another username", autocomplete: "username" })}`,
    button: "Create account",
    after: html`<p class="aside">Did you not register? Then close this page, and no account is made.</p>`,
  };
}

function address(
  { auth, principal }: PageCall,
  { user, email, isChange }: Extract<OpenedVerification, { kind: "address" }>,
): Parts {
  const lead = html`<p class="lead breakable">${isChange ? `Your account is to have the address ${email}.` : `Confirm that ${email} is your address.`}</p>`;
  const none = { heading: title, lead, fields: html``, button: null };
  if (!principal.isAuthenticated) {
    const login = withNext(auth.config.loginPath, "/verify");
    return {
      ...none,
      after: html`<p>Sign in to your account to do so.</p><p><a class="button primary" href="${login}">Sign in</a></p>`,
    };
  }
  if (principal.user.id !== user.id) {
    return {
      ...none,
      after: html`<p>The link is for another account than the one you are signed in to. Sign out, then open it again.</p>
<p><a class="button" href="/logout">Sign out</a></p>`,
    };
  }
  const after = html`<p class="aside">Did you not ask for this? Then close this page, and nothing changes.</p>`;
  return { ...none, button: "Confirm address", after };
}

function donePage({ auth }: PageCall): DocumentReply {
  const main = html`<div class="card">
<h1>Address confirmed</h1>
<p>Mail from us goes there from now on.</p>
<p><a class="button primary" href="${auth.config.appPath}">Go on</a></p>
</div>`;
  return { kind: "document", title: "Address confirmed", main };
}

function useless(): DocumentReply {
  const life = "Links for confirming an address work once, and for a day.";
  return uselessLink(title, `${life} Your account page sends a fresh one; or register again.`);
}
