import type { ApiKey } from "../domain/api-key.ts";
import { type AuditRow, auditRow } from "../domain/audit.ts";
import type { PasswordCredential } from "../domain/credential.ts";
import type { AuthEvent } from "../domain/event.ts";
import { emailKey } from "../domain/identifier.ts";
import type { LinkedAccount } from "../domain/linked-account.ts";
import type { OutboxMail } from "../domain/outbox.ts";
import { randomBase62, randomSessionId, randomSlotTag, uuidv7 } from "../domain/random.ts";
import type { RefreshFamily } from "../domain/refresh-family.ts";
import type { Session } from "../domain/session.ts";
import type { Tier } from "../domain/tier.ts";
import type { User } from "../domain/user.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { testRandom } from "./random.ts";

/** Makes records that differ from each other and are alike in every run. Whatever matters to a test is overridden. */
export interface Fixtures {
  /** An active user of generation 1. `emailKey` follows from `email`. */
  user(overrides?: Partial<User>): User;
  /** A password credential of version 1. Its hash is no hash of anything. */
  password(user: Pick<User, "id">, overrides?: Partial<PasswordCredential>): PasswordCredential;
  /** An API key of version 1 that does not expire, may be used from anywhere and has no permission. */
  apiKey(user: Pick<User, "id">, overrides?: Partial<ApiKey>): ApiKey;
  /** A linked account of version 1, at a provider that knows each of them by another name. */
  linkedAccount(user: Pick<User, "id">, overrides?: Partial<LinkedAccount>): LinkedAccount;
  /** A session of the user's generation, or a visitor's (null): idle limit 30 min, absolute limit 24 h from now; no refresh tokens. */
  session(user: User | null, overrides?: Partial<Session>): Session;
  /** The refresh tokens of a session of which none was used: number 0, made now. Its digest is that of nothing. */
  refreshFamily(overrides?: Partial<RefreshFamily>): RefreshFamily;
  /** The audit row of an event; `user.logged_out` with an address and a user agent where nothing else is asked for. */
  auditRow(overrides?: Partial<AuthEvent>): AuditRow;
  /** A tier of version 1 with one limit. */
  tier(overrides?: Partial<Tier>): Tier;
  /** A mail that is due now and was never tried; to nobody in particular for null. */
  mail(user: Pick<User, "id"> | null, overrides?: Partial<OutboxMail>): OutboxMail;
}

/** Fixtures that read `clock`, and draw from `random` (default: {@link testRandom}). */
export function fixtures(clock: Clock, random: Random = testRandom()): Fixtures {
  const bytes = (length: number): Uint8Array => random.bytes(length);
  const id = (): string => uuidv7(clock.now(), bytes);
  let made = 0;

  function user(overrides: Partial<User> = {}): User {
    const now = clock.now();
    const name = `user${++made}`;
    const email = overrides.email ?? `${name}@example.com`;
    return {
      id: id(),
      username: name,
      email,
      emailKey: emailKey(email),
      emailVerified: false,
      name: null,
      status: "active",
      roles: [],
      permissions: [],
      tier: null,
      isSuperuser: false,
      mustChangePassword: false,
      locale: null,
      generation: 1,
      slotTag: randomSlotTag(bytes),
      data: {} as User["data"],
      revokedTokens: [],
      version: 1,
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
      ...overrides,
    };
  }

  function session(owner: User | null, overrides: Partial<Session> = {}): Session {
    const now = clock.now();
    const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
    return {
      id: randomSessionId(owner?.slotTag ?? randomSlotTag(bytes), bytes),
      secretDigest: bytes(32),
      userId: owner?.id ?? null,
      generation: owner?.generation ?? 0,
      authTime: owner === null ? null : now,
      amr: owner === null ? [] : ["pwd"],
      isRemembered: false,
      createdAt: now,
      lastUsedAt: now,
      idleExpiresAt: after(30 * 60),
      expiresAt: after(24 * 3600),
      ip: "192.0.2.7",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) ExampleBrowser/1.0",
      rotatedFrom: null,
      data: {},
      dataVersion: 0,
      refresh: null,
      ...overrides,
    };
  }

  function refreshFamily(overrides: Partial<RefreshFamily> = {}): RefreshFamily {
    return { digest: bytes(32), number: 0, refreshedAt: clock.now(), ...overrides };
  }

  function password(
    { id: userId }: Pick<User, "id">,
    overrides: Partial<PasswordCredential> = {},
  ): PasswordCredential {
    const now = clock.now();
    const times = { createdAt: now, updatedAt: now };
    const encoded = { encoded: `$none$${++made}`, normalization: "nfc-1" } as const;
    return { kind: "password", id: id(), userId, ...encoded, version: 1, ...times, ...overrides };
  }

  function apiKey({ id: userId }: Pick<User, "id">, overrides: Partial<ApiKey> = {}): ApiKey {
    const now = clock.now();
    return {
      kind: "api-key",
      id: randomBase62(16, bytes),
      userId,
      name: `key ${++made}`,
      secretDigest: bytes(32),
      permissions: [],
      limits: { perMinute: null, perDay: null },
      allowedIps: [],
      expiresAt: null,
      lastUsedAt: null,
      rotatedFrom: null,
      version: 1,
      createdAt: now,
      updatedAt: now,
      ...overrides,
    };
  }

  function linkedAccount(
    { id: userId }: Pick<User, "id">,
    overrides: Partial<LinkedAccount> = {},
  ): LinkedAccount {
    const now = clock.now();
    return {
      kind: "linked-account",
      id: id(),
      userId,
      provider: "example",
      issuer: "https://provider.example",
      subject: `subject${++made}`,
      email: null,
      sealedTokens: null,
      lastUsedAt: null,
      version: 1,
      createdAt: now,
      updatedAt: now,
      ...overrides,
    };
  }

  function row(overrides: Partial<AuthEvent> = {}): AuditRow {
    const about = { userId: null, sessionId: null, requestId: null };
    const origin = { ip: "192.0.2.7", userAgent: "ExampleBrowser/1.0" };
    const base = { id: id(), createdAt: clock.now(), type: "user.logged_out", payload: {} } as const;
    const salt = (): string => Buffer.from(bytes(16)).toString("base64url");
    return auditRow({ ...base, ...about, ...origin, ...overrides } as AuthEvent, salt);
  }

  function tier(overrides: Partial<Tier> = {}): Tier {
    const now = clock.now();
    const limits = [{ path: "/api/*", limit: 60, windowSeconds: 60 }];
    const times = { createdAt: now, updatedAt: now };
    return { id: id(), name: `tier-${++made}`, limits, version: 1, ...times, ...overrides };
  }

  function mail(user: Pick<User, "id"> | null, overrides: Partial<OutboxMail> = {}): OutboxMail {
    const now = clock.now();
    const about = {
      purpose: "password_changed",
      userId: user?.id ?? null,
      locale: null,
      detail: null,
    } as const;
    return { id: id(), ...about, attempts: 0, nextAttemptAt: now, createdAt: now, ...overrides };
  }

  return { user, password, apiKey, linkedAccount, session, refreshFamily, auditRow: row, tier, mail };
}
