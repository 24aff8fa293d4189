import { type Actor, botnet, type Guesses, owner, run, type SignIns, sprayer } from "./actors.ts";
import { siteWith } from "./site.ts";

/** How much of a scene is played. */
export interface Scale {
  readonly days: number;
  /** Accounts that are sprayed. */
  readonly accounts: number;
  /** Addresses that spray, each of a subnet of its own. */
  readonly attackers: number;
  /** People of the office. */
  readonly people: number;
}

/** What a scene came to. */
export interface Played {
  readonly sent: number;
  /** Guesses that were compared with a password, over the whole scene, of the account with the most. */
  readonly mostOnOneAccount: number;
  /** The same on one account in one day. */
  readonly mostInOneDay: number;
  readonly known: SignIns;
  readonly fresh: SignIns;
}

type Scene = (scale: Scale) => Promise<Played>;

/** What happens to a site, by name. */
export const scenes: Readonly<Record<string, Scene>> = {
  "botnet on one account": async ({ days }) => {
    const email = "victim@example.com";
    const tally = empty();
    const ownerIp = "203.0.113.7";
    const habit = { email, ip: ownerIp, everyHours: 6, mistypes: 0.1 };
    return play([email], days, tally, [
      owner({ ...habit, isNewBrowser: false }, tally.known),
      owner({ ...habit, everyHours: 24, isNewBrowser: true }, tally.fresh),
      botnet(email, tally.guesses),
    ]);
  },
  "password spray": async ({ days, accounts, attackers }) => {
    const emails = names(accounts);
    const tally = empty();
    const sprayers = Array.from({ length: attackers }, (_, at) =>
      sprayer(
        emails.toSorted(() => (at % 2) - 0.5),
        `198.51.${at}.9`,
        30,
        tally.guesses,
      ),
    );
    const owners = emails.slice(0, 50).flatMap((email, at) => homeOwners(email, `203.0.113.${at}`, tally));
    return play(emails, days, tally, [...owners, ...sprayers]);
  },
  "office behind one address": async ({ days, people }) => {
    const emails = names(people);
    const tally = empty();
    const office = "192.0.2.1";
    return play(
      emails,
      days,
      tally,
      emails.flatMap((email) => homeOwners(email, office, tally)),
    );
  },
  "the same office, and somebody in it who guesses": async ({ days, people }) => {
    const emails = names(people);
    const tally = empty();
    const office = "192.0.2.1";
    const owners = emails.flatMap((email) => homeOwners(email, office, tally));
    return play(emails, days, tally, [...owners, sprayer(emails, office, 30, tally.guesses)]);
  },
};

interface Tally {
  readonly guesses: Guesses;
  readonly known: SignIns;
  readonly fresh: SignIns;
}

function empty(): Tally {
  return {
    guesses: { sent: 0, tested: new Map() },
    known: { tried: 0, denied: 0 },
    fresh: { tried: 0, denied: 0 },
  };
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `person${at}@example.com`);
}

/** Signs in at their own browser twice a day, and somewhere else now and then. */
function homeOwners(email: string, ip: string, { known, fresh }: Tally): readonly Actor[] {
  return [
    owner({ email, ip, everyHours: 12, mistypes: 0.1, isNewBrowser: false }, known),
    owner({ email, ip, everyHours: 72, mistypes: 0.1, isNewBrowser: true }, fresh),
  ];
}

async function play(
  emails: readonly string[],
  days: number,
  { guesses, known, fresh }: Tally,
  actors: readonly Actor[],
): Promise<Played> {
  const site = await siteWith(emails);
  await run(site, actors, days);
  await site.auth.close();
  const byAccount = new Map<string, number>();
  for (const [key, count] of guesses.tested) {
    const [email = ""] = key.split(" ");
    byAccount.set(email, (byAccount.get(email) ?? 0) + count);
  }
  return {
    sent: guesses.sent,
    mostOnOneAccount: Math.max(0, ...byAccount.values()),
    mostInOneDay: Math.max(0, ...guesses.tested.values()),
    known,
    fresh,
  };
}
