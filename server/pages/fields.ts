import type { FieldError } from "latchkey";
import type { FormState } from "./form.ts";
import { type Html, html } from "./html.ts";

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
export function field(
  state: FormState,
  { name, label, type = "text", autocomplete, isOptional, hint }: FieldOptions,
): Html {
  const errors = state.errors.filter((error) => error.field === name);
  const isInvalid = errors.length > 0;
  const described = [hint && `${name}-hint`, isInvalid && `${name}-error`].filter(Boolean).join(" ");
  const isWord = type !== "text" || autocomplete === "username";
  const attributes = [
    type !== "password" && html` value="${state.values[name]?.trim() ?? ""}"`,
    type === "email" && html` inputmode="email"`,
    type === "code" && html` inputmode="numeric"`,
    isWord && html` autocapitalize="none" spellcheck="false"`,
    !isOptional && html` required`,
    described !== "" && html` aria-describedby="${described}"`,
    isInvalid && html` aria-invalid="true"`,
  ];
  return html`<div class="${isInvalid ? "field invalid" : "field"}">
<label for="${name}">${label}${isOptional && html` <span class="optional">(optional)</span>`}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${isInvalid && html`<p class="error" id="${name}-error"><span class="unseen">Error: </span>${joined(errors)}</p>`}
<input id="${name}" name="${name}" type="${type === "code" ? "text" : type}" autocomplete="${autocomplete}"${attributes}>
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
export function errorSummary({ errors, message }: FormState, fieldNames: readonly string[]): Html {
  if (errors.length === 0 && message === null) return html``;
  const line = (error: FieldError): Html =>
    html`<li>${fieldNames.includes(error.field) ? html`<a href="#${error.field}">${error.message}</a>` : error.message}</li>`;
  return html`<div class="notice bad" role="alert" tabindex="-1" autofocus>
${message !== null && html`<p>${message}</p>`}
${errors.length > 0 && html`<p>${errors.length === 1 ? "There is a problem:" : "There are some problems:"}</p><ul>${errors.map(line)}</ul>`}
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
