/** Languages that the mails are written in, by their BCP 47 tag. */
export const mailLocales = ["en", "de", "es", "ja"] as const;

/** One of {@link mailLocales}. */
export type MailLocale = (typeof mailLocales)[number];

/** The language to write in for a tag such as `de-AT`: its own, or the fallback. */
export function mailLocale(tag: string | null, fallback: MailLocale = "en"): MailLocale {
  const language = tag?.toLowerCase().split("-", 1)[0];
  return mailLocales.find((known) => known === language) ?? fallback;
}

/** An `Accept-Language` header longer than this is not read. */
const longestHeader = 512;

/**
 * The best of the known languages that an `Accept-Language` header asks for; null where it asks for none of them.
 *
 * @param locales - BCP 47 tags; default {@link mailLocales}. Who asks for `de-AT` gets `de` where that is all there is
 * @see RFC 9110, section 12.5.4
 */
export function acceptedLocale(header: string | null | undefined): MailLocale | null;
export function acceptedLocale(header: string | null | undefined, locales: readonly string[]): string | null;
export function acceptedLocale(
  header: string | null | undefined,
  locales: readonly string[] = mailLocales,
): string | null {
  if (!header || header.length > longestHeader) return null;
  const wanted = header.split(",").map((part) => {
    const [tag = "", ...parameters] = part.trim().split(/\s*;\s*/);
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
    return { tag: tag.toLowerCase(), quality: Number(quality) };
  });
  const known = wanted.filter(({ quality }) => quality > 0 && quality <= 1);
  known.sort((one, other) => other.quality - one.quality);
  for (const { tag } of known) {
    const [language] = tag.split("-", 1);
    const spelled = (wantedTag: string | undefined): string | undefined =>
      locales.find((locale) => locale.toLowerCase() === wantedTag);
    const found = spelled(tag) ?? spelled(language);
    if (found !== undefined) return found;
  }
  return null;
}
