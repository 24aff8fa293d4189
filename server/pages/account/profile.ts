import { AuthError, type SessionChange, type SignedIn } from "latchkey";
import { field, hidden } from "../fields.ts";
import { blank, formAgain, typed } from "../form.ts";
import { type Html, html } from "../html.ts";
import { type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { confirmation, proofWays, proveAgain, signInAgain } from "./prove-again.ts";
import { type AccountView, type Section, type ShowAgain, section, stateOf, wantsProof } from "./section.ts";

/** Name, username and address. */
export function profileSection(view: AccountView): Html {
  const { email, username, name } = view.call.principal.user;
  const state = stateOf(view, "profile", blank({ email, username, name: name ?? "" }));
  const { call, ways } = view;
  const about: Section = {
    name: "profile",
    title: "Profile",
    lead: "Your name is how you are greeted. Username and email are what you sign in with.",
    fieldNames: ["name", "username", "email", "password"],
    doneMessages: new Map([["profile", "Your profile is saved."]]),
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
${wantsProof(view, "profile") && !ways.hasPassword && signInAgain(call, ways, "/account#profile")}`,
  );
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
    const change = await save(call, fields).catch(async (thrown) => {
      if (!(thrown instanceof AuthError) || thrown.code !== "fresh_auth_required") throw thrown;
      const ways = await proofWays(call);
      current = await proveAgain(call, confirmation(fields, ways, "to change your email address"));
      return save(current, fields);
    });
    return seeOther("/account?done=profile#profile", change);
  } catch (thrown) {
    return formAgain(thrown, fields, (state) => showAgain(current, "profile", state));
  }
}

async function save({ auth, visit }: PageCall<SignedIn>, fields: Fields): Promise<SessionChange | null> {
  const [email, username, name] = [typed(fields, "email"), typed(fields, "username"), typed(fields, "name")];
  return (await auth.users.update({ email, username, name }, visit)).change;
}

function passwordField(state: Parameters<typeof field>[0]): Html {
  return field(state, {
    name: "password",
    label: "Current password",
    type: "password",
    autocomplete: "current-password",
  });
}
