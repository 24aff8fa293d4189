import { parse } from "hono/utils/cookie";
import type { Config, Principal } from "latchkey";
import { acceptedLocale } from "latchkey/mail";
import type { Languages } from "./language.ts";

/** A language, and who said it: the account, this browser by its choice, its settings, or nobody. */
export interface ChosenLocale {
  /** One of the languages that there are. */
  readonly locale: string;
  readonly by: "account" | "choice" | "browser" | "default";
}

/** What the language of a page hangs on. */
export interface LocaleClues {
  readonly headers: { get(name: string): string | null | undefined };
  /** Who is looking; null where nobody knows. */
  readonly principal: Principal | null;
  readonly cookie: Config["cookie"];
}

/** The language of a page: what the account says, else what was chosen in this browser, else what the browser asks for. */
export function chooseLocale(
  { headers, principal, cookie }: LocaleClues,
  { locales, fallback }: Pick<Languages, "locales" | "fallback">,
): ChosenLocale {
  const own = principal?.isAuthenticated ? knownLocale(principal.user.locale, locales) : null;
  if (own !== null) return { locale: own, by: "account" };
  const name = languageCookie(cookie);
  const chosen = parse(headers.get("cookie") ?? "", name)[name];
  if (chosen !== undefined && locales.includes(chosen)) return { locale: chosen, by: "choice" };
  const accepted = acceptedLocale(headers.get("accept-language"), locales);
  if (accepted !== null) return { locale: accepted, by: "browser" };
  return { locale: fallback, by: "default" };
}

/** The language for a tag such as `de-AT`: that one, or the nearest that it is a kind of; null where none is there. */
export function knownLocale(tag: string | null, locales: readonly string[]): string | null {
  return acceptedLocale(tag, locales);
}

/** Name of the cookie that holds the language chosen in a browser. */
export function languageCookie({ name }: Config["cookie"]): string {
  return `${name}-language`;
}

/** A language by its own name: `Deutsch`; what is no language tag as it is. */
export function ownName(locale: string): string {
  try {
    const name = new Intl.DisplayNames([locale], { type: "language", fallback: "code" }).of(locale) ?? locale;
    const [first = "", ...rest] = name;
    return first.toLocaleUpperCase(locale) + rest.join("");
  } catch {
    return locale;
  }
}
