import type { MailPurpose } from "../domain/outbox.ts";
import type { MailFacts } from "./facts.ts";

/** One mail in one language, as plain texts: what is around them is the same for all. */
export interface Wording {
  readonly subject: string;
  /** Paragraphs before button or code. */
  readonly lead: readonly string[];
  /** Words on the button; null where the mail has none. */
  readonly button: string | null;
  /** Paragraphs after it. */
  readonly rest: readonly string[];
}

/** Everything that is said in one language. */
export interface Words {
  readonly mails: Readonly<Record<MailPurpose, (facts: MailFacts) => Wording>>;
  /** Before the link in the HTML, for who cannot press the button. */
  readonly orOpen: string;
  /** The last line. */
  readonly footer: (facts: MailFacts) => string;
  /** `15 minutes`, `24 hours`, `7 days`. */
  readonly lasting: (seconds: number) => string;
}

const minuteSeconds = 60;
const hourSeconds = 3_600;
const daySeconds = 86_400;

/** A length of time by the words for its unit, the largest that it is a whole number of, two days at least for days. */
export function lasting(
  seconds: number,
  unit: (count: number, unit: "minute" | "hour" | "day") => string,
): string {
  if (seconds % daySeconds === 0 && seconds >= 2 * daySeconds) return unit(seconds / daySeconds, "day");
  if (seconds % hourSeconds === 0) return unit(seconds / hourSeconds, "hour");
  return unit(Math.ceil(seconds / minuteSeconds), "minute");
}

/** The instant of a sign-in, in UTC. */
export function instant(at: Date, locale: string): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  return `${format.format(at)} UTC`;
}
