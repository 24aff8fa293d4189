import { type Attempt, rightPassword, type Site, signIn } from "./site.ts";

/** Somebody who does something at a time of their own; answers in how many seconds again, or null for never. */
export type Actor = (site: Site) => Promise<number | null>;

/** What attackers came to. */
export interface Guesses {
  sent: number;
  /** Compared with the password, by account and day. */
  readonly tested: Map<string, number>;
}

/** How owners fared. */
export interface SignIns {
  tried: number;
  denied: number;
}

/** Lets actors act in the order of their times, for so many days; none waits for the clock. */
export async function run(site: Site, actors: readonly Actor[], days: number): Promise<void> {
  const start = site.clock.now().getTime();
  const due = actors.map((actor, at) => ({ actor, at: start + (at % 60) * 1000 }));
  for (;;) {
    due.sort((a, b) => a.at - b.at);
    const [next] = due;
    if (next === undefined || next.at >= start + days * 86_400_000) return;
    site.clock.advance((next.at - site.clock.now().getTime()) / 1000);
    const seconds = await next.actor(site);
    if (seconds === null) due.shift();
    else next.at += Math.max(1, seconds) * 1000;
  }
}

/** Guesses at one account, each time from an address that nobody has used, as soon as the last answer allows. */
export function botnet(email: string, guesses: Guesses): Actor {
  return async (site) => {
    const ip = Array.from({ length: 4 }, () => 1 + Math.floor(site.chance() * 223)).join(".");
    const answer = await guess(site, { email, password: "a guess", ip }, guesses);
    return answer.kind === "refused" ? answer.retryAfterSeconds : 1;
  };
}

/** Goes round accounts with one password after the other, from one address, however it is answered. */
export function sprayer(
  emails: readonly string[],
  ip: string,
  everySeconds: number,
  guesses: Guesses,
): Actor {
  let at = 0;
  return async (site) => {
    const email = emails[at++ % emails.length] ?? "";
    await guess(site, { email, password: "Summer2026!", ip }, guesses);
    return everySeconds;
  };
}

async function guess(site: Site, attempt: Attempt, guesses: Guesses) {
  const answer = await signIn(site, attempt);
  guesses.sent++;
  if (answer.kind === "wrong") {
    const key = `${attempt.email} ${site.clock.now().toISOString().slice(0, 10)}`;
    guesses.tested.set(key, (guesses.tested.get(key) ?? 0) + 1);
  }
  return answer;
}

/** How somebody signs in. */
export interface Habit {
  readonly email: string;
  readonly ip: string;
  readonly everyHours: number;
  /** How often the first try is mistyped, from 0 to 1. */
  readonly mistypes: number;
  /** Whether the browser forgets its cookies each time. */
  readonly isNewBrowser: boolean;
}

/** Somebody with an account, in a browser that they signed in in before or in another each time. Who is denied comes back later. */
export function owner(habit: Habit, signIns: SignIns): Actor {
  let device: string | null = null;
  let isReady = false;
  return async (site) => {
    const { email, ip, everyHours, mistypes, isNewBrowser } = habit;
    // The first sign-in lies before the attack.
    if (!isReady) {
      const first = await signIn(site, { email, password: rightPassword, ip });
      device = first.kind === "in" ? first.device : null;
      isReady = true;
      return everyHours * 3_600 * site.chance();
    }
    const browser = { email, ip, device: isNewBrowser ? null : device };
    if (site.chance() < mistypes) await signIn(site, { ...browser, password: "mistyped" });
    const answer = await signIn(site, { ...browser, password: rightPassword });
    signIns.tried++;
    if (answer.kind === "refused") signIns.denied++;
    return everyHours * 3_600 * (0.5 + site.chance());
  };
}
