import Bowser from "bowser";
import { type Html, html } from "./html.ts";
import { fillText } from "./language/fill.ts";
import { englishLanguage, type Language } from "./language/language.ts";

/** A product's name is a few words; what is longer was made up by whoever sent it. */
const longestName = 40;

/**
 * What a User-Agent header says about itself, in plain words: `Firefox on Linux`. For people to recognise their own
 * devices by; anybody can send any header, so nothing is decided on it.
 */
export function deviceWords(userAgent: string | null, { words }: Language = englishLanguage): string {
  const { unknown, on, program: anyProgram } = words.device;
  if (!userAgent) return unknown;
  const { browser, os } = Bowser.parse(userAgent);
  const program = browser.name?.slice(0, longestName);
  const system = os.name?.slice(0, longestName);
  if (program && system) return fillText(on, { program, system });
  return program || (system ? fillText(on, { program: anyProgram, system }) : unknown);
}

/** A moment in words that make sense to a person, with the exact one for machines. */
export function moment(
  then: Date,
  { now, language }: { readonly now: Date; readonly language: Language },
): Html {
  return html`<time datetime="${then.toISOString()}">${timeWords(then, now, language)}</time>`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `just now`, `5 minutes ago`, `yesterday`; from a week on the date, in UTC. */
export function timeWords(
  then: Date,
  now: Date,
  { locale, words: { time } }: Language = englishLanguage,
): string {
  const ms = now.getTime() - then.getTime();
  if (ms < 2 * minuteMs) return time.now;
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (ms < hourMs) return ago.format(-Math.floor(ms / minuteMs), "minute");
  if (ms < dayMs) return ago.format(-Math.floor(ms / hourMs), "hour");
  if (ms < 7 * dayMs) return ago.format(-Math.floor(ms / dayMs), "day");
  return fillText(time.on, { date: dayWords(then, locale) });
}

// Most people who read English write the day first.
function dayWords(day: Date, locale: string): string {
  const written = locale === "en" ? "en-GB" : locale;
  return new Intl.DateTimeFormat(written, { dateStyle: "long", timeZone: "UTC" }).format(day);
}
