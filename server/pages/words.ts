import Bowser from "bowser";
import { type Html, html } from "./html.ts";

/** A product's name is a few words; what is longer was made up by whoever sent it. */
const longestName = 40;

/**
 * What a User-Agent header says about itself, in plain words: `Firefox on Linux`. For people to recognise their own
 * devices by; anybody can send any header, so nothing is decided on it.
 */
export function deviceWords(userAgent: string | null): string {
  if (!userAgent) return "Unknown device";
  const { browser, os } = Bowser.parse(userAgent);
  const program = browser.name?.slice(0, longestName);
  const system = os.name?.slice(0, longestName);
  if (program && system) return `${program} on ${system}`;
  return program || (system ? `A program on ${system}` : "Unknown device");
}

/** A moment in words that make sense to a person, with the exact one for machines. */
export function moment(then: Date, now: Date): Html {
  return html`<time datetime="${then.toISOString()}">${timeWords(then, now)}</time>`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `just now`, `5 minutes ago`, `yesterday`; from a week on the date, in UTC. */
export function timeWords(then: Date, now: Date): string {
  const ms = now.getTime() - then.getTime();
  if (ms < 2 * minuteMs) return "just now";
  const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (ms < hourMs) return ago.format(-Math.floor(ms / minuteMs), "minute");
  if (ms < dayMs) return ago.format(-Math.floor(ms / hourMs), "hour");
  if (ms < 7 * dayMs) return ago.format(-Math.floor(ms / dayMs), "day");
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
  return `on ${day.format(then)}`;
}
