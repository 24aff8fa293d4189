import type { AuthRequest, Config, Principal } from "latchkey";
import { type ChosenLocale, chooseLocale } from "./language/choose-locale.ts";
import type { Language, Languages } from "./language/language.ts";

/** The language of one answer, and what it could have been. */
export interface Spoken {
  readonly language: Language;
  readonly by: ChosenLocale["by"];
  readonly languages: Languages;
}

/** The language to answer a request in. @param principal - who is looking; null where nobody knows */
export async function spokenTo(
  request: AuthRequest | null,
  principal: Principal | null,
  { languages, cookie }: { readonly languages: Languages; readonly cookie: Config["cookie"] },
): Promise<Spoken> {
  const headers = request?.headers ?? new Headers();
  const { locale, by } = chooseLocale({ headers, principal, cookie }, languages);
  return { language: await languages.of(locale), by, languages };
}
