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
 * The best of the known languages that an `Accept-Language` header asks for, or a language tag by itself; null where it asks for none
 * of them.
 *
 * @param locales - BCP 47 tags; default {@link mailLocales}. Who asks for `zh-Hant-TW` or `zh-TW` gets `zh-Hant` where there is no nearer one, else `zh`
 * @see RFC 9110, section 12.5.4, RFC 4647, section 3.4, and the likely subtags of Unicode Technical Standard 35
 */
export function acceptedLocale(header: string | null | undefined): MailLocale | null;
export function acceptedLocale(header: string | null | undefined, locales: readonly string[]): string | null;
export function acceptedLocale(
  header: string | null | undefined,
  locales: readonly string[] = mailLocales,
): string | null {
  if (!header || header.length > longestHeader) return null;
  const known = new Map(locales.map((locale) => [locale.toLowerCase(), locale]));
  for (const tag of wantedTags(header)) {
    const near = nearestTags(tag, known).find((range) => known.has(range));
    if (near !== undefined) return known.get(near) ?? null;
  }
  return null;
}

/** The tags of a header in lower case, the most wanted first. */
function wantedTags(header: string): readonly string[] {
  const wanted = header.split(",").map((part) => {
    const [tag = "", ...parameters] = part.trim().split(/\s*;\s*/);
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
    return { tag: tag.toLowerCase(), quality: Number(quality) };
  });
  return wanted
    .filter(({ quality }) => quality > 0 && quality <= 1)
    .sort((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag);
}

/** The tag, and what stands for it where it is not there, the nearest first: `zh-tw`, `zh-hant-tw`, `zh-hant`, `zh`. */
function nearestTags(tag: string, known: ReadonlyMap<string, string>): readonly string[] {
  const shorter = shorterTags(tag);
  const kinds = `${shorter.at(-1) ?? tag}-`;
  // Asked only where it may tell two apart: a header of many tags would cost milliseconds.
  const likely = [...known.keys()].some((each) => each.startsWith(kinds)) ? likelyTags(tag) : [];
  return [tag, ...shorter.slice(0, -1), ...likely, ...shorter.slice(-1)];
}

/** A tag that names no script, with the one that its language is written in there: browsers say `zh-TW`, texts are `zh-Hant`. */
function likelyTags(tag: string): readonly string[] {
  try {
    const named = new Intl.Locale(tag);
    if (named.script !== undefined) return [];
    const { language, script, region } = named.maximize();
    return [`${language}-${script}-${region}`, `${language}-${script}`].map((likely) => likely.toLowerCase());
  } catch {
    // No language tag at all.
    return [];
  }
}

/** What a tag is a kind of, the nearest first: `zh-hant`, `zh` of `zh-hant-tw`. */
function shorterTags(tag: string): readonly string[] {
  const subtags = tag.split("-");
  const shorter: string[] = [];
  while (subtags.length > 1) {
    subtags.pop();
    // A single letter only says what comes after it.
    if (subtags.at(-1)?.length === 1) continue;
    shorter.push(subtags.join("-"));
  }
  return shorter;
}
