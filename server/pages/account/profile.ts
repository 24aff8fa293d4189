import { AuthError, type ProfileChanged, type SignedIn } from "latchkey";
import { choice, field, hidden } from "../fields.ts";
import { blank, type FormState, formAgain, typed } from "../form.ts";
import { type Html, html } from "../html.ts";
import { knownLocale, ownName } from "../language/choose-locale.ts";
import { mailOf, shownHint } from "../mailed.ts";
import { type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { confirmation, proofWays, proveAgain, signInAgain } from "./prove-again.ts";
import { type AccountView, type Section, type ShowAgain, section, stateOf, wantsProof } from "./section.ts";

/** Name, username and address. */
export function profileSection(view: AccountView): Html {
  const state = stateOf(view, "profile", blank(known(view.call)));
  const { call, ways } = view;
  const { profile: words, form: labels } = call.language.words;
  const about: Section = {
    name: "profile",
    title: words.title,
    lead: words.lead,
    fieldNames: ["name", "username", "email", "locale", "password"],
    doneMessages: new Map([
      ["profile", words.done],
      ["address", words.doneAddress],
      ["confirm", words.doneConfirm],
    ]),
  };
  return section(
    view,
    about,
    html`<form method="post" action="/account" novalidate>
${hidden("_token", view.token)}
${hidden("form", "profile")}
${field(call, state, { name: "name", label: labels.name, autocomplete: "name", isOptional: true })}
${field(call, state, { name: "username", label: labels.username, autocomplete: "username" })}
${field(call, state, { name: "email", label: labels.email, type: "email", autocomplete: "email" })}
${localeField(call, state)}
${wantsProof(view, "profile") && ways.hasPassword && passwordField(call, state)}
<button class="primary" type="submit">${words.button}</button>
</form>
${wantsProof(view, "profile") && !ways.hasPassword && signInAgain(call, ways, "/account#profile")}
${addressSection(view)}`,
  );
}

function known({ principal: { user } }: PageCall<SignedIn>): Fields {
  const { email, username, name, locale } = user;
  return { email, username, name: name ?? "", locale: locale ?? "" };
}

/**
 * Saves the profile. A new address may ask for the password first, since whoever holds the mailbox can take the account
 * over; then the form comes back with a field for it, or with the ways by providers for who has none.
 */
export async function submitProfile(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  let current = call;
  try {
    const { user, change } = await save(call, fields).catch(async (thrown) => {
      if (!(thrown instanceof AuthError) || thrown.code !== "fresh_auth_required") throw thrown;
      const ways = await proofWays(call);
      current = await proveAgain(call, confirmation(fields, ways, "to change your email address"));
      return save(current, fields);
    });
    const isAsked = typed(fields, "email").normalize("NFC") !== user.email;
    return seeOther(`/account?done=${isAsked ? "address" : "profile"}#profile`, change);
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => showAgain(current, "profile", state));
  }
}

async function save({ auth, visit }: PageCall<SignedIn>, fields: Fields): Promise<ProfileChanged> {
  const [email, username, name] = [typed(fields, "email"), typed(fields, "username"), typed(fields, "name")];
  const locale = fields.locale === undefined ? {} : { locale: fields.locale };
  return auth.users.update({ email, username, name, ...locale }, visit);
}

/** A link for who has not shown yet that the mailbox is theirs. */
function addressSection({ call, token }: AccountView): Html {
  const { mail, principal, language } = call;
  const { profile: words } = language.words;
  if (mail === null || principal.user.emailVerified) return shownHint(call);
  return html`<form method="post" action="/account">
${hidden("_token", token)}
${hidden("form", "confirm")}
<p>${words.unconfirmed}</p>
<button type="submit">${words.confirm}</button>
</form>
${shownHint(call)}`;
}

/** Asks for that link. */
export async function submitConfirm(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  try {
    await mailOf(call).requestVerification(call.visit);
    return seeOther("/account?done=confirm#profile");
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) =>
      showAgain(call, "profile", { ...state, values: known(call) }),
    );
  }
}

/** The languages that there are, and the account's own where it is none of them. */
function localeField({ languages, language, principal }: PageCall<SignedIn>, state: FormState): Html {
  const { profile: words } = language.words;
  const own = principal.user.locale;
  const known = knownLocale(own, languages.locales);
  // A kind of a known language, such as de-AT, stays what it is until another one is chosen.
  const listed = languages.locales.map((each) => (each === known ? (own ?? each) : each));
  const all = own === null || known !== null ? listed : [...listed, own];
  return choice({ language }, state, {
    name: "locale",
    label: words.language,
    hint: words.languageHint,
    choices: [
      { value: "", label: words.anyLanguage },
      ...all.map((value) => ({ value, label: ownName(value), lang: value })),
    ],
  });
}

function passwordField(call: PageCall<SignedIn>, state: FormState): Html {
  return field(call, state, {
    name: "password",
    label: call.language.words.form.currentPassword,
    type: "password",
    autocomplete: "current-password",
  });
}
