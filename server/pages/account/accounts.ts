import { AuthError, type SignedIn } from "latchkey";
import type { LinkedAccountInfo, OAuth } from "latchkey/oauth";
import { field, hidden } from "../fields.ts";
import { formAgain } from "../form.ts";
import { type Html, html } from "../html.ts";
import { fill, fillText } from "../language/fill.ts";
import { type DocumentReply, type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { moment } from "../words.ts";
import { confirmation, proofWays, proveAgain, signInAgain } from "./prove-again.ts";
import { type AccountView, type Section, type ShowAgain, section, stateOf, wantsProof } from "./section.ts";

type NamedProvider = Pick<OAuth["providers"][number], "name" | "label">;

/** Accounts at providers, and the buttons that link and unlink them. Nothing where there are no providers. */
export async function accountsSection(view: AccountView): Promise<Html> {
  const { oauth, principal, language } = view.call;
  const { accounts: words } = language.words;
  // Whom somebody is elsewhere, is no business of who acts in their place.
  if (oauth === null || principal.impersonator !== null) return html``;
  const linked = await oauth.accounts(principal.user.id);
  if (oauth.providers.length + linked.length === 0) return html``;
  const open = oauth.providers.filter(({ name }) => linked.every(({ provider }) => provider !== name));
  const about: Section = {
    name: "accounts",
    title: words.title,
    lead: words.lead,
    fieldNames: ["password"],
    doneMessages: new Map([
      ["linked", words.doneLinked],
      ["unlinked", words.doneUnlinked],
    ]),
  };
  return section(
    view,
    about,
    html`${linked.length > 0 && html`<ul class="sessions">${linked.map((each) => linkedItem(view, each))}</ul>`}
${open.map((provider) => actionForm(view, "link", provider))}
${wantsProof(view, "accounts") && signInAgain(view.call, view.ways, "/account#accounts")}`,
  );
}

/** Links or unlinks; the password is asked for where the last sign-in is too long ago. */
export async function submitAccounts(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  let current = call;
  try {
    return await act(call, fields).catch(async (thrown) => {
      if (!(thrown instanceof AuthError) || thrown.code !== "fresh_auth_required") throw thrown;
      const ways = await proofWays(call);
      current = await proveAgain(call, confirmation(fields, ways, "to change how you sign in"));
      return act(current, fields);
    });
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => showAgain(current, "accounts", state));
  }
}

async function act(call: PageCall<SignedIn>, { link, unlink }: Fields): Promise<PageReply> {
  const { oauth, visit } = call;
  if (oauth === null || (link === undefined && unlink === undefined)) {
    throw new AuthError("invalid_input", { message: "The form is not known." });
  }
  if (unlink !== undefined) {
    await oauth.unlink(unlink, visit);
    return seeOther("/account?done=unlinked#accounts");
  }
  const { url, change } = await oauth.startLink(link ?? "", visit);
  return { ...onward(call, labelOf(oauth, link ?? ""), url), change };
}

// A redirect would be held to the page's `form-action`, which names this origin alone.
function onward({ language }: PageCall<SignedIn>, provider: string, url: string): DocumentReply {
  const { accounts: words, login } = language.words;
  return {
    kind: "document",
    page: "onward",
    title: fillText(words.onward, { provider }),
    form: html`<p><a class="button primary" href="${url}">${fillText(login.provider, { provider })}</a></p>`,
    aside: html`<p class="aside"><a href="/account">${words.back}</a></p>`,
    goesOnTo: url,
  };
}

function linkedItem(view: AccountView, account: LinkedAccountInfo): Html {
  const { oauth, language } = view.call;
  const { provider: name, email, createdAt } = account;
  const provider = { name, label: oauth === null ? name : labelOf(oauth, name) };
  return html`<li>
<div class="session">
<p class="device">${provider.label}</p>
<p class="meta">${email !== null && html`<span class="breakable">${email}</span> `}<span>${fill(language.words.accounts.linked, { when: moment(createdAt, view.call) })}</span></p>
</div>
${actionForm(view, "unlink", provider)}
</li>`;
}

function actionForm(view: AccountView, action: "link" | "unlink", { name, label }: NamedProvider): Html {
  const state = stateOf(view, "accounts");
  const asksPassword = view.ways.hasPassword && wantsProof(view, "accounts") && state.values[action] === name;
  const { accounts: words, form } = view.call.language.words;
  const button =
    action === "link"
      ? html`<button type="submit">${fillText(words.link, { provider: label })}</button>`
      : html`<button class="small" type="submit">${words.unlink}<span class="unseen">${fillText(words.unlinkWhich, { provider: label })}</span></button>`;
  return html`<form method="post" action="/account" novalidate>
${hidden("_token", view.token)}
${hidden("form", "accounts")}
${hidden(action, name)}
${asksPassword && field(view.call, state, { name: "password", label: form.currentPassword, type: "password", autocomplete: "current-password" })}
${button}
</form>`;
}

function labelOf({ providers }: OAuth, name: string): string {
  return providers.find((each) => each.name === name)?.label ?? name;
}
