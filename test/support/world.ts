import { onTestFinished } from "vitest";
import { type Auth, type AuthOptions, createAuth } from "../../src/auth.ts";
import type { AuditRow } from "../../src/domain/audit.ts";
import type { EncodedPassword, PasswordCredential } from "../../src/domain/credential.ts";
import type { AuthEvent, EventOf, EventType } from "../../src/domain/event.ts";
import type { User } from "../../src/domain/user.ts";
import type { Feature } from "../../src/features/feature.ts";
import type { PasswordServices } from "../../src/ports/services.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { type TestClock, testClock } from "../../src/testing/clock.ts";
import { type Fixtures, fixtures } from "../../src/testing/fixtures.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import { testRandom } from "../../src/testing/random.ts";
import { type Browser, browserOn } from "./browser.ts";
import { type InlineThreads, inlineThreads } from "./inline-threads.ts";
import { type Recorder, recorder } from "./recorder.ts";
import { type TestPasswordsOptions, testPasswords } from "./test-passwords.ts";

/** A secret for every test. */
export const secret = "a secret of at least thirty-two bytes for tests";

/** A password that the policy accepts. */
export const password = "correct horse battery staple";

/** A line of the operator's log. */
export interface LogLine {
  readonly level: "error" | "warn";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: unknown;
}

/** How a world differs from the usual one. */
export interface WorldOptions
  extends Partial<Omit<AuthOptions, "stores" | "features" | "clock" | "random" | "log">> {
  /** Default `memory()`. */
  readonly stores?: Stores;
  /** Put around the stores, below the recorder: `faulty`. */
  readonly wrap?: (stores: Stores) => Stores;
  readonly passwords?: TestPasswordsOptions;
  readonly features?: readonly Feature<unknown>[];
}

/** Everything that one test works with. */
export interface World {
  readonly auth: Auth;
  readonly origin: string;
  readonly clock: TestClock;
  readonly recorder: Recorder;
  readonly threads: InlineThreads;
  /** What listeners heard, in order. */
  readonly events: AuthEvent[];
  readonly log: LogLine[];
  readonly make: Fixtures;
  readonly services: PasswordServices;
  browser(): Browser;
  /** A browser in which somebody new has registered. */
  registered(email?: string): Promise<Browser & { readonly userId: string }>;
  /** Puts a user with a password into the directory, past every flow. */
  plant(user?: Partial<User>, stored?: Partial<EncodedPassword>): Promise<User>;
  /** Runs writes on the stores, past every flow. */
  write(...writes: readonly Write[]): Promise<void>;
  call(): StoreCall;
  user(id: string): Promise<User>;
  credential(userId: string): Promise<PasswordCredential>;
  /** Events of one type that listeners heard. */
  heard<T extends EventType>(type: T): readonly EventOf<T>[];
  /** Waits for what answers do not wait for, then reads the audit log, oldest first. */
  audit(type?: EventType): Promise<readonly AuditRow[]>;
  /** Waits for what answers do not wait for. */
  settle(): Promise<void>;
  /** The same stores under another `createAuth`, as the next process has them. */
  again(options?: WorldOptions): World;
}

/** The session cookie's name on the usual origin. */
export const cookieName = "__Host-latchkey";

/** A new and empty world on `https://app.example`. */
export function world(options: WorldOptions = {}): World {
  return build(options, options.stores ?? memory(), testClock());
}

function build(options: WorldOptions, stores: Stores, clock: TestClock): World {
  const { wrap = (inner) => inner, passwords, features, stores: _, ...rest } = options;
  const origin = options.origin ?? "https://app.example";
  const recording = recorder(wrap(stores));
  const threads = inlineThreads();
  const feature = testPasswords(threads, passwords);
  const events: AuthEvent[] = [];
  const log: LogLine[] = [];
  const random = testRandom(`world ${worlds(clock)}`);
  const auth = createAuth({
    secrets: [secret],
    ...rest,
    origin,
    stores: recording.stores,
    features: [feature, ...(features ?? [])],
    listeners: [(event) => void events.push(event), ...(options.listeners ?? [])],
    session: { sweepIntervalSeconds: 0, ...options.session },
    clock,
    random,
    log: {
      error: (message, fields = {}, cause) => void log.push({ level: "error", message, fields, cause }),
      warn: (message, fields = {}) => void log.push({ level: "warn", message, fields, cause: null }),
    },
  });
  onTestFinished(async () => {
    await auth.close();
    for (const port of [stores.ephemeral, stores.sessions, stores.directory]) await port.close();
  });
  const services = auth.use(feature);
  const make = fixtures(clock, random);
  const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });

  const self: World = {
    auth,
    origin,
    clock,
    recorder: recording,
    threads,
    events,
    log,
    make,
    services,
    call,
    browser: () => browserOn((request, client) => auth.handle(request, client), origin),
    async registered(email = "ana@example.com") {
      const browser = self.browser();
      const { status, body, text } = await browser.post("/api/v1/auth/register", { email, password });
      if (status !== 201) throw new Error(`registering answered ${status}: ${text}`);
      return Object.assign(browser, { userId: String(body.user?.id) });
    },
    async plant(overrides = {}, stored) {
      const user = make.user(overrides);
      const encoded = { ...(await services.hashing.hash(password)), ...stored };
      await self.write(
        { kind: "user.insert", user },
        { kind: "password.insert", credential: make.password(user, encoded) },
      );
      return user;
    },
    async write(...writes) {
      const result = await stores.directory.commit(writes, call());
      if (!result.ok) throw new Error(`refused: ${result.refused}`);
    },
    async user(id) {
      const user = await stores.directory.user(id, call());
      if (user === null) throw new Error("no such user");
      return user;
    },
    async credential(userId) {
      const found = await stores.directory.userWithPassword({ kind: "id", key: userId }, call());
      if (!found?.password) throw new Error("no such password");
      return found.password;
    },
    heard: <T extends EventType>(type: T) =>
      events.filter((event): event is EventOf<T> => event.type === type),
    async audit(type) {
      await self.settle();
      const rows = await stores.directory.auditRows(auditQuery({ limit: 10_000 }), call());
      return rows.filter((row) => type === undefined || row.type === type).toReversed();
    },
    async settle() {
      // Rows of refusals are queued until the current turn of the event loop ends.
      await new Promise((resolve) => setImmediate(resolve));
      await services.background.drain();
    },
    again: (other = {}) => build({ ...options, ...other }, stores, clock),
  };
  return self;
}

// Two worlds over one state must not draw the same ids.
const drawn = new WeakMap<TestClock, number>();

function worlds(clock: TestClock): number {
  const count = (drawn.get(clock) ?? 0) + 1;
  drawn.set(clock, count);
  return count;
}
