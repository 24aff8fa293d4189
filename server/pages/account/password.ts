import type { SignedIn } from "latchkey";
import { field, hidden, newPasswordFields, whosePassword } from "../fields.ts";
import { assertNone, formAgain, mismatch, missing, secret } from "../form.ts";
import { type Html, html } from "../html.ts";
import { type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { type AccountView, type Section, type ShowAgain, section, stateOf } from "./section.ts";

/** Another password. */
export function passwordSection(view: AccountView): Html {
  const state = stateOf(view, "password");
  const { password: words, form: labels } = view.call.language.words;
  const about: Section = {
    name: "password",
    title: words.title,
    lead: words.lead,
    fieldNames: ["current_password", "new_password", "confirm_password"],
    doneMessages: new Map([["password", words.done]]),
  };
  return section(
    view,
    about,
    html`<form method="post" action="/account" novalidate>
${hidden("_token", view.token)}
${hidden("form", "password")}
${whosePassword(view.call.principal.user)}
${field(view.call, state, {
  name: "current_password",
  label: labels.currentPassword,
  type: "password",
  autocomplete: "current-password",
})}
${newPasswordFields(view.call, state)}
<button class="primary" type="submit">${words.button}</button>
</form>`,
  );
}

const requiredFields = {
  current_password: "Current password is required",
  new_password: "New password is required",
};

/** Changes the password. */
export async function submitPassword(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  const { auth, visit } = call;
  const [current, next] = [secret(fields, "current_password"), secret(fields, "new_password")];
  try {
    await assertComplete(call, fields);
    const { change } = await auth.users.changePassword({ current, next }, visit);
    return seeOther("/account?done=password#password", change);
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => showAgain(call, "password", state));
  }
}

// What only the form knows, and beside it what policy would say next: every message at once.
async function assertComplete({ auth, principal }: PageCall<SignedIn>, fields: Fields): Promise<void> {
  const [current_password, new_password] = [
    secret(fields, "current_password"),
    secret(fields, "new_password"),
  ];
  const incomplete = missing({ current_password, new_password }, requiredFields);
  const differing = mismatch(fields, "new_password");
  if (incomplete.length + differing.length === 0) return;
  const weak = new_password === "" ? [] : await auth.users.passwordErrors(new_password, principal.user);
  assertNone([...incomplete, ...weak, ...differing]);
}
