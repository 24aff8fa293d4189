import { AuthError, type FieldError } from "latchkey";
import { fillText } from "./language/fill.ts";
import type { Language } from "./language/language.ts";
import type { DocumentReply, Fields, PageCall } from "./page.ts";

/** A form as it is to be shown: what was typed, and what is wrong with it, in the page's language. */
export interface FormState {
  readonly values: Fields;
  readonly errors: readonly FieldError[];
  /** What is wrong with the form as a whole, or null. */
  readonly message: string | null;
}

/** A form that nobody has filled in yet, or one that starts with what is known. */
export function blank(values: Fields = {}): FormState {
  return { values, errors: [], message: null };
}

/**
 * The form again, after a refusal: status and headers of the refusal, its messages, and what was typed. A refusal that
 * typing cannot mend is thrown on and becomes an error page.
 *
 * @param render - the page around the form
 */
export async function formAgain(
  { language }: Pick<PageCall, "language">,
  thrown: unknown,
  values: Fields,
  render: (state: FormState) => DocumentReply | Promise<DocumentReply>,
): Promise<DocumentReply> {
  if (!(thrown instanceof AuthError) || !isMendable(thrown)) throw thrown;
  const state = {
    values,
    errors: told(thrown.fields, language),
    message: thrown.fields.length > 0 ? null : sentence(thrown, language),
  };
  return { ...(await render(state)), error: thrown };
}

/** What was typed into a field, without blanks around it; empty where it was not sent. */
export function typed(fields: Fields, name: string): string {
  return fields[name]?.trim() ?? "";
}

/** A secret as it was typed: its blanks belong to it. */
export function secret(fields: Fields, name: string): string {
  return fields[name] ?? "";
}

/** An error for each value that was left empty, in the words given for it. */
export function missing(values: Fields, required: Readonly<Record<string, string>>): FieldError[] {
  return Object.entries(required).flatMap(([field, message]) =>
    values[field] === "" ? [{ field, code: "required", message }] : [],
  );
}

/** An error where a password and its repetition differ. */
export function mismatch(fields: Fields, name: string): FieldError[] {
  if (secret(fields, name) === secret(fields, "confirm_password")) return [];
  return [{ field: "confirm_password", code: "mismatch", message: "Passwords do not match" }];
}

/** Refuses where there are errors. @throws AuthError `invalid_input` with all of them */
export function assertNone(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new AuthError("invalid_input", { fields: errors });
}

// Signing in again, another origin or another kind of body is not mended by typing.
function isMendable({ code, status }: AuthError): boolean {
  if (status >= 500) return code === "overloaded" || code === "provider_unavailable";
  return !hopeless.includes(code);
}

const hopeless: readonly AuthError["code"][] = [
  "not_authenticated",
  "session_expired",
  "origin_rejected",
  "csrf_required",
  "csrf_failed",
  "registration_closed",
  "token_invalid",
];

/** Errors of fields in a language. */
export function told(errors: readonly FieldError[], { tell }: Language): readonly FieldError[] {
  return errors.map((each) => ({ ...each, message: tell(each.message) }));
}

function sentence({ message, retryAfterSeconds, code }: AuthError, language: Language): string {
  const text = language.tell(message);
  if (code !== "rate_limited" || retryAfterSeconds === null) return text;
  return `${text} ${waiting(retryAfterSeconds, language)}`;
}

/** When another try makes sense, in words. */
export function waiting(seconds: number, { words: { form }, locale }: Language): string {
  if (seconds <= 60) return form.waitMinute;
  const minutes = Math.ceil(seconds / 60);
  const [count, unit] = minutes <= 90 ? [minutes, "minute"] : [Math.ceil(minutes / 60), "hour"];
  const format = new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" });
  return fillText(form.wait, { time: format.format(count) });
}
