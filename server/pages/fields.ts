import type { FieldError, User } from "latchkey";
import type { FormState } from "./form.ts";
import { type Html, html } from "./html.ts";
import type { PageCall } from "./page.ts";

/** What the parts of a form are written in. */
type Speaking = Pick<PageCall, "language">;

/** How a field looks and what browsers may put into it. */
export interface FieldOptions {
  readonly name: string;
  readonly label: string;
  /** Default `text`. */
  readonly type?: "text" | "email" | "password" | "code";
  readonly autocomplete:
    | "username"
    | "email"
    | "name"
    | "current-password"
    | "new-password"
    | "one-time-code"
    | "off";
  readonly isOptional?: boolean;
  readonly hint?: string;
}

/** A labelled field with its messages. A password is never sent back. */
export function field(call: Speaking, state: FormState, options: FieldOptions): Html {
  const { name, type = "text", autocomplete, isOptional } = options;
  const isWord = type !== "text" || autocomplete === "username";
  const attributes = [
    type !== "password" && html` value="${state.values[name]?.trim() ?? ""}"`,
    type === "email" && html` inputmode="email"`,
    type === "code" && html` inputmode="numeric"`,
    isWord && html` autocapitalize="none" spellcheck="false"`,
    !isOptional && html` required`,
  ];
  return labelled(
    call,
    state,
    options,
    (described) =>
      html`<input id="${name}" name="${name}" type="${type === "code" ? "text" : type}" autocomplete="${autocomplete}"${attributes}${described}>`,
  );
}

/** Unseen in a form about a password: it tells password managers whose it is. */
export function whosePassword({ email }: Pick<User, "email">): Html {
  return html`<input hidden type="text" autocomplete="username" value="${email}" readonly>`;
}

/** A password that is chosen, `new_password`, twice. */
export function newPasswordFields(call: Speaking, state: FormState): Html {
  const { form: labels } = call.language.words;
  const chosen = { type: "password", autocomplete: "new-password" } as const;
  return html`${field(call, state, { ...chosen, name: "new_password", label: labels.newPassword })}
${field(call, state, { ...chosen, name: "confirm_password", label: labels.confirmNewPassword })}`;
}

/** One of several. */
export function choice(
  call: Speaking,
  state: FormState,
  options: Pick<FieldOptions, "name" | "label" | "hint"> & {
    readonly choices: readonly { readonly value: string; readonly label: string; readonly lang?: string }[];
  },
): Html {
  const { name, choices } = options;
  const option = ({ value, label, lang }: (typeof choices)[number]): Html =>
    html`<option value="${value}"${lang !== undefined && html` lang="${lang}"`}${value === (state.values[name] ?? "") && html` selected`}>${label}</option>`;
  return labelled(
    call,
    state,
    options,
    (described) => html`<select id="${name}" name="${name}" autocomplete="off"${described}>
${choices.map(option)}
</select>`,
  );
}

/** Label, hint and messages around an input. */
function labelled(
  { language: { words } }: Speaking,
  state: FormState,
  { name, label, isOptional, hint }: Pick<FieldOptions, "name" | "label" | "isOptional" | "hint">,
  input: (described: Html) => Html,
): Html {
  const errors = state.errors.filter((error) => error.field === name);
  const isInvalid = errors.length > 0;
  const ids = [hint && `${name}-hint`, isInvalid && `${name}-error`].filter(Boolean).join(" ");
  const described = html`${ids !== "" && html` aria-describedby="${ids}"`}${isInvalid && html` aria-invalid="true"`}`;
  return html`<div class="${isInvalid ? "field invalid" : "field"}">
<label for="${name}">${label}${isOptional && html` <span class="optional">${words.form.optional}</span>`}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${isInvalid && html`<p class="error" id="${name}-error"><span class="unseen">${words.form.error} </span>${joined(errors)}</p>`}
${input(described)}
</div>`;
}

/** A box to tick. */
export function checkbox(
  state: FormState,
  { name, label }: { readonly name: string; readonly label: string },
): Html {
  return html`<div class="choice">
<input id="${name}" name="${name}" type="checkbox" value="on"${state.values[name] === "on" && html` checked`}>
<label for="${name}">${label}</label>
</div>`;
}

/** A value that goes along unseen. */
export function hidden(name: string, value: string | null): Html {
  return value === null ? html`` : html`<input type="hidden" name="${name}" value="${value}">`;
}

/**
 * All that is wrong, in one place that is read out and has the focus when the page opens. What concerns a field of this
 * form links to it.
 *
 * @see WCAG 2.2, success criteria 3.3.1 and 4.1.3
 */
export function errorSummary(
  { language: { words } }: Speaking,
  { errors, message }: FormState,
  fieldNames: readonly string[],
): Html {
  if (errors.length === 0 && message === null) return html``;
  const line = (error: FieldError): Html =>
    html`<li>${fieldNames.includes(error.field) ? html`<a href="#${error.field}">${error.message}</a>` : error.message}</li>`;
  return html`<div class="notice bad" role="alert" tabindex="-1" autofocus>
${message !== null && html`<p>${message}</p>`}
${errors.length > 0 && html`<p>${errors.length === 1 ? words.form.problem : words.form.problems}</p><ul>${errors.map(line)}</ul>`}
</div>`;
}

/** What has just been done, told once. */
export function doneNotice(message: string | undefined): Html {
  return message === undefined
    ? html``
    : html`<div class="notice good" role="status"><p>${message}</p></div>`;
}

function joined(errors: readonly FieldError[]): Html[] {
  return errors.map(({ message }, index) => html`${index > 0 && html`<br>`}${message}`);
}
