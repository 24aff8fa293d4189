import { AuthError, type ProfileChanged, type SignedIn } from "latchkey";
import { field, hidden } from "../fields.ts";
import { blank, formAgain, typed } from "../form.ts";
import { type Html, html } from "../html.ts";
import { mailOf, shownHint } from "../mailed.ts";
import { type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { confirmation, proofWays, proveAgain, signInAgain } from "./prove-again.ts";
import { type AccountView, type Section, type ShowAgain, section, stateOf, wantsProof } from "./section.ts";

/** Name, username and address. */
export function profileSection(view: AccountView): Html {
  const state = stateOf(view, "profile", blank(known(view.call)));
  const { call, ways } = view;
  const about: Section = {
    name: "profile",
    title: "Profile",
    lead: "Your name is how you are greeted. Username and email are what you sign in with.",
    fieldNames: ["name", "username", "email", "password"],
    doneMessages: new Map([
      ["profile", "Your profile is saved."],
      [
        "address",
        "Your profile is saved. Your address changes once you have opened the link that was mailed to the new one.",
      ],
      ["confirm", "A link for confirming your address is on its way to it."],
    ]),
  };
  return section(
    view,
    about,
    html`<form method="post" action="/account" novalidate>
${hidden("_token", view.token)}
${hidden("form", "profile")}
${field(state, { name: "name", label: "Name", autocomplete: "name", isOptional: true })}
${field(state, { name: "username", label: "Username", autocomplete: "username" })}
${field(state, { name: "email", label: "Email", type: "email", autocomplete: "email" })}
${wantsProof(view, "profile") && ways.hasPassword && passwordField(state)}
<button class="primary" type="submit">Save profile</button>
</form>
${wantsProof(view, "profile") && !ways.hasPassword && signInAgain(call, ways, "/account#profile")}
${addressSection(view)}`,
  );
}

function known({ principal: { user } }: PageCall<SignedIn>): Fields {
  const { email, username, name } = user;
  return { email, username, name: name ?? "" };
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
    return formAgain(thrown, fields, (state) => showAgain(current, "profile", state));
  }
}

async function save({ auth, visit }: PageCall<SignedIn>, fields: Fields): Promise<ProfileChanged> {
  const [email, username, name] = [typed(fields, "email"), typed(fields, "username"), typed(fields, "name")];
  return auth.users.update({ email, username, name }, visit);
}

/** A link for who has not shown yet that the mailbox is theirs. */
function addressSection({ call: { mail, principal, shownMails }, token }: AccountView): Html {
  if (mail === null || principal.user.emailVerified) return shownHint(shownMails);
  return html`<form method="post" action="/account">
${hidden("_token", token)}
${hidden("form", "confirm")}
<p>Your address is not confirmed yet.</p>
<button type="submit">Send a link to confirm it</button>
</form>
${shownHint(shownMails)}`;
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
    return formAgain(thrown, fields, (state) =>
      showAgain(call, "profile", { ...state, values: known(call) }),
    );
  }
}

function passwordField(state: Parameters<typeof field>[0]): Html {
  return field(state, {
    name: "password",
    label: "Current password",
    type: "password",
    autocomplete: "current-password",
  });
}
