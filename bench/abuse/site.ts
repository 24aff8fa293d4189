import { type Auth, AuthError, createAuth, type Feature, memory, type PasswordHashing } from "latchkey";
import { type TestClock, testClock, testRandom } from "latchkey/testing";

/** The password of everybody who has an account. */
export const rightPassword = "the right one, which nobody guesses";

/** A site in memory whose clock moves when it is told to. */
export interface Site {
  readonly auth: Auth;
  readonly clock: TestClock;
  /** A number from 0 to 1; the same row of them each time. */
  chance(): number;
}

/** What came of a sign-in. */
export type Answer =
  | { readonly kind: "in"; readonly device: string | null }
  /** The password was compared, and is another. */
  | { readonly kind: "wrong" }
  | { readonly kind: "refused"; readonly retryAfterSeconds: number };

/** Somebody who signs in. */
export interface Attempt {
  readonly email: string;
  readonly password: string;
  readonly ip: string;
  /** What the browser keeps in its device cookie. */
  readonly device?: string | null;
}

/** A site with these accounts, and with limits as they come. */
export async function siteWith(emails: readonly string[]): Promise<Site> {
  const clock = testClock();
  const random = testRandom("abuse");
  const auth = createAuth({
    origin: "https://app.example",
    secrets: ["a secret of the simulation, 32 bytes and more"],
    stores: memory(),
    features: [instantPasswords()],
    session: { sweepIntervalSeconds: 0, maxPerUser: 1 },
    log: { error() {}, warn() {} },
    clock,
    random,
  });
  for (const email of emails) await auth.users.create({ email, password: rightPassword });
  return { auth, clock, chance: () => Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32 };
}

/** One sign-in, as a browser sends it. */
export async function signIn({ auth }: Site, { email, password, ip, device }: Attempt): Promise<Answer> {
  const headers = new Map([["sec-fetch-site", "same-origin"]]);
  if (device) headers.set("cookie", `__Host-latchkey-device=${device}`);
  const request = { method: "POST", url: "/login", headers: { get: (name: string) => headers.get(name) } };
  try {
    const { change } = await auth.users.login({ identifier: email, password }, { request, client: { ip } });
    return { kind: "in", device: change.device ?? device ?? null };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.code === "invalid_credentials") return { kind: "wrong" };
    return { kind: "refused", retryAfterSeconds: error.retryAfterSeconds ?? 0 };
  }
}

// What is counted is who may try, not how long a hash takes.
function instantPasswords(): Feature<null> {
  const encodedOf = (password: string) => ({ encoded: `$plain$${password}`, normalization: "raw" }) as const;
  const hashing: PasswordHashing = {
    weakness: null,
    format: () => "plain",
    hash: async (password) => encodedOf(password),
    verify: async (password, { encoded }) => {
      return { ok: encoded === encodedOf(password).encoded, needsRehash: false, format: "plain", owedMs: 0 };
    },
    verifyDummy: async () => ({ owedMs: 0 }),
    warmUp: async () => {},
  };
  return {
    name: "passwords",
    install: (services) => ({
      api: null,
      passwords: { ...services, hashing, policy: { check: async () => [] } },
    }),
  };
}
