import { setImmediate as nextTurn } from "node:timers/promises";
import { type Auth, type AuthOptions, createAuth } from "../auth.ts";
import type { AuthEvent } from "../domain/event.ts";
import type { SignedIn } from "../domain/principal.ts";
import type { Feature } from "../features/feature.ts";
import { type Mail, mail } from "../features/mail.ts";
import type { Random } from "../ports/clock.ts";
import type { Log, Services } from "../ports/services.ts";
import type { Stores } from "../ports/stores.ts";
import { memory } from "../stores/memory.ts";
import { actingAs } from "./acting-as.ts";
import { type Faults, faultSwitch } from "./faults.ts";
import { faulty } from "./faulty.ts";
import { type MailSink, mailSink } from "./mail-sink.ts";
import { testRandom } from "./random.ts";
import { testPasswords } from "./test-passwords.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";
import { noteWorld } from "./worlds.ts";

/** How a test's world differs from the usual one: everything that `createAuth` takes, and all of it may be left out. */
export interface TestAuthOptions extends Partial<Omit<AuthOptions, "clock" | "random">> {
  /** Where its time begins. Default 2026-01-01T00:00:00Z. */
  readonly startsAt?: Date;
  /** Another seed gives other ids and tokens. Default `latchkey`. */
  readonly seed?: string;
  /** What takes the mails. Default: an empty one. Where you list `mail({ mailer })` yourself, the one that you gave it. */
  readonly mail?: MailSink;
}

/** A line of the operator's log. */
export interface TestLogLine {
  readonly level: "error" | "warn";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What was thrown; undefined where nothing was. */
  readonly cause: unknown;
}

/** Everything that a test works with. */
export interface TestAuth {
  readonly auth: Auth;
  readonly clock: VirtualClock;
  readonly random: Random;
  /** The mails that were sent. */
  readonly mail: MailSink;
  /** The stores as they are, without the faults: for what no flow does. */
  readonly stores: Stores;
  readonly faults: Faults;
  /** What happened, oldest first. */
  readonly events: readonly AuthEvent[];
  readonly log: readonly TestLogLine[];
  /** From now on every request is from this principal, whatever it carries; null ends it. @see mockPrincipal */
  actAs(principal: SignedIn | null): void;
  /** Waits for what answers do not wait for: mails, audit rows. `advance` and the clients of this kit do so by themselves. */
  settle(): Promise<void>;
}

/** A secret for tests: whoever reads this can forge everything that is signed with it. */
export const testSecret = "a secret for tests, which everybody knows";

/**
 * `createAuth` for tests, the same in every run: stores in memory, a virtual clock, foreseeable ids and tokens, passwords at
 * next to no cost, mails that are kept. The origin is `http://localhost:3000` and registration `open`, unless something else is said.
 *
 * Features for passwords and mail are added where none of these names is listed. Never for a server: everybody can foretell its tokens.
 *
 * @throws TypeError as `createAuth` does
 */
export function testAuth(options: TestAuthOptions = {}): TestAuth {
  const { startsAt, seed, mail: sink = mailSink(), stores = memory(), listeners = [], ...rest } = options;
  const clock = virtualClock(startsAt, () => settle());
  const random = testRandom(seed);
  const { faults, plan, areOn } = faultSwitch(clock);
  const events: AuthEvent[] = [];
  const log: TestLogLine[] = [];
  const insight = insightFeature();
  const acting = actingAs();
  const all = [acting, insight, ...withUsual(options.features ?? [], sink)];
  const auth = createAuth({
    origin: "http://localhost:3000",
    secrets: [testSecret],
    registration: "open",
    log: keptLog(log),
    ...rest,
    stores: faulty(stores, plan),
    features: all,
    listeners: [(event) => void events.push(event), ...listeners],
    clock,
    random,
  });
  const services = auth.use(insight);
  const sendMails = mailsOf(auth, all);
  async function answered(): Promise<void> {
    await nextTurn();
    // While something is wrong with the stores, mails are sent when it is their time.
    if (!areOn()) await sendMails();
    await nextTurn();
  }
  async function settle(): Promise<void> {
    await answered();
    await services.background.drain();
  }
  noteWorld(auth, { services, answered });
  return { auth, clock, random, mail: sink, stores, faults, events, log, actAs: auth.use(acting), settle };
}

/** Hands out what the flows work with. */
function insightFeature(): Feature<Services> {
  return { name: "test-insight", install: (services) => ({ api: services }) };
}

function withUsual(features: readonly Feature<unknown>[], mailer: MailSink): readonly Feature<unknown>[] {
  const has = (name: string): boolean => features.some((feature) => feature.name === name);
  const usualMail = mail({
    mailer,
    from: "Example <no-reply@app.example>",
    isReal: false,
    pollSeconds: 3_600,
  });
  return [...(has("passwords") ? [] : [testPasswords()]), ...(has("mail") ? [] : [usualMail]), ...features];
}

/** What sends the mails that are due, whoever listed the feature. */
function mailsOf(auth: Auth, features: readonly Feature<unknown>[]): () => Promise<void> {
  const feature = features.find(({ name }) => name === "mail");
  const api = feature === undefined ? null : (auth.use(feature) as Mail);
  return async () => api?.flush();
}

function keptLog(lines: TestLogLine[]): Log {
  const line =
    (level: TestLogLine["level"]): Log["error"] =>
    (message, fields = {}, cause) =>
      void lines.push({ level, message, fields, cause });
  return { error: line("error"), warn: line("warn") };
}
