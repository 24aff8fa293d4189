import { AuthError, type FieldError } from "../../errors.ts";

const longestTag = 35;

/** A language tag in its usual spelling; null for none, or what is no tag. @see RFC 5646, section 4.4.1 */
export function languageTag(text: string | null): string | null {
  if (text === null) return null;
  try {
    const [tag = null] = Intl.getCanonicalLocales(text.trim());
    return tag !== null && tag.length <= longestTag ? tag : null;
  } catch {
    return null;
  }
}

/** What is wrong with a language that somebody gave; blank is none. */
export function localeErrors(locale: string | null): FieldError[] {
  if (locale === null || locale.trim() === "" || languageTag(locale) !== null) return [];
  return [{ field: "locale", code: "invalid", message: "A language tag such as en or pt-BR" }];
}

/** A language tag in its usual spelling, null for a blank one. @throws AuthError `invalid_input` */
export function readLocale(locale: string | null): string | null {
  const fields = localeErrors(locale);
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
  return languageTag(locale);
}
