import { nextPath } from "latchkey";
import type { PageCall, PageReply, RedirectReply } from "./page.ts";

/** Where the buttons for the languages lead. */
export const languagePath = "/language";

/** Whoever opens the address itself finds the buttons on the page that they are sent to. */
export function showLanguage(): RedirectReply {
  return { kind: "redirect", status: 302, to: "/" };
}

/** Keeps the chosen language in this browser. A language that there is none of changes nothing. */
export async function submitLanguage({ auth, visit, languages }: PageCall): Promise<PageReply> {
  const fields = await visit.request.fields();
  const chosen = languages.locales.find((locale) => locale === fields.language);
  const reply: RedirectReply = {
    kind: "redirect",
    status: 303,
    to: nextPath(fields.next, auth.config.origin) ?? "/",
  };
  return chosen === undefined ? reply : { ...reply, change: { language: chosen } };
}

/** Address of a page to come back to, without what is said or spent once. */
export function comingBack(path: string, query: URLSearchParams): string {
  const kept = new URLSearchParams([...query].filter(([name]) => name === "next" || name === "new"));
  return kept.size === 0 ? path : `${path}?${kept}`;
}
