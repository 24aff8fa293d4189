import * as z from "zod/mini";
import type { ApiKey } from "../../domain/api-key.ts";
import { plainNetwork } from "../../domain/ip.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import { isPermission } from "../../domain/rights.ts";
import type { Tier } from "../../domain/tier.ts";
import type { User } from "../../domain/user.ts";
import type { Account, ImportItem } from "./import-record.ts";
import { transferFormat } from "./text.ts";

const text = z.string().check(z.maxLength(100_000));
const count = z.int().check(z.nonnegative());
const id = z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
const instant = z.pipe(
  z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)),
  z.transform((written, context) => {
    const date = new Date(written);
    if (!Number.isNaN(date.getTime())) return date;
    context.issues.push({ code: "custom", message: "no instant", input: written });
    return z.NEVER;
  }),
);
const times = { version: count, created_at: instant, updated_at: instant };
const names = z.array(z.string().check(z.minLength(1), z.maxLength(128)));
// An object as it was parsed: a copy by way of a schema loses a key such as "__proto__".
const bag = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

const userText = z.strictObject({
  id,
  username: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{1,30}[a-z0-9]$/)),
  email: z.string().check(z.maxLength(254), z.includes("@")),
  email_key: z.string().check(z.maxLength(1024), z.includes("@")),
  email_verified: z.boolean(),
  name: z.nullable(text),
  status: z.enum(["active", "disabled", "deleted", "anonymized"]),
  roles: names,
  permissions: names,
  tier: z.nullable(z.string()),
  is_superuser: z.boolean(),
  must_change_password: z.boolean(),
  locale: z.nullable(text),
  generation: count,
  slot_tag: z.string().check(z.regex(/^[0-9A-Za-z]{8}$/)),
  data: bag,
  revoked_tokens: z.array(z.strictObject({ token_id: text, expires_at: instant })),
  deleted_at: z.nullable(instant),
  ...times,
});

const passwordText = z.strictObject({
  id: text,
  encoded: text,
  normalization: z.enum(["nfc-1", "raw"]),
  ...times,
});

const linkText = z.strictObject({
  id,
  provider: text,
  issuer: text,
  subject: text,
  email: z.nullable(text),
  sealed_tokens: z.nullable(text),
  last_used_at: z.nullable(instant),
  ...times,
});

const keyText = z.strictObject({
  id: z.string().check(z.regex(/^[0-9A-Za-z]{16}$/)),
  name: z.string().check(z.maxLength(200), z.regex(/^[^\p{Cc}\p{Cs}]+$/u)),
  secret_sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  permissions: z.array(z.string().check(z.refine(isPermission))),
  limits: z.strictObject({ per_minute: z.nullable(count), per_day: z.nullable(count) }),
  // One that is none would fail each use of the key.
  allowed_ips: z.array(z.string().check(z.refine((network) => plainNetwork(network) !== null))),
  expires_at: z.nullable(instant),
  last_used_at: z.nullable(instant),
  rotated_from: z.nullable(text),
  ...times,
});

const lineText = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("export"), format: z.literal(transferFormat), exported_at: instant }),
  z.strictObject({
    kind: z.literal("tier"),
    id,
    name: z.string().check(z.regex(/^[a-z0-9_-]{1,32}$/)),
    limits: z.array(
      z.strictObject({
        path: text,
        limit: count.check(z.minimum(1)),
        window_seconds: count.check(z.minimum(1)),
      }),
    ),
    ...times,
  }),
  z.strictObject({
    kind: z.literal("account"),
    user: userText,
    password: z.nullable(passwordText),
    linked_accounts: z.array(linkText),
    api_keys: z.array(keyText),
  }),
  z.strictObject({ kind: z.literal("end"), accounts: count }),
]);

/**
 * What a line of an export says.
 *
 * @returns what to import; null for its first and last line; `unreadable` without any of its content
 */
export function readTransferLine(row: number, line: unknown): ImportItem | null {
  const parsed = lineText.safeParse(line);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { row, unreadable: `${["line", ...(issue?.path ?? [])].join(".")} is not as an export has it` };
  }
  const { data } = parsed;
  if (data.kind === "tier") return { row, tier: tierOf(data) };
  return data.kind === "account" ? { row, account: accountOf(data) } : null;
}

type Line = z.output<typeof lineText>;
type Kind<K extends Line["kind"]> = Extract<Line, { kind: K }>;

function accountOf({ user, password, linked_accounts, api_keys }: Kind<"account">): Account {
  const userId = user.id;
  return {
    user: userOf(user),
    password:
      password === null
        ? null
        : {
            kind: "password",
            userId,
            id: password.id,
            encoded: password.encoded,
            normalization: password.normalization,
            ...timesOf(password),
          },
    linkedAccounts: linked_accounts.map((link): LinkedAccount => {
      const { id: linkId, provider, issuer, subject, email, sealed_tokens, last_used_at } = link;
      return {
        kind: "linked-account",
        ...{ id: linkId, userId, provider, issuer, subject, email },
        sealedTokens: sealed_tokens,
        lastUsedAt: last_used_at,
        ...timesOf(link),
      };
    }),
    apiKeys: api_keys.map((key): ApiKey => {
      const { id: keyId, name, permissions, limits } = key;
      return {
        kind: "api-key",
        ...{ id: keyId, userId, name, permissions },
        secretDigest: new Uint8Array(Buffer.from(key.secret_sha256, "hex")),
        limits: { perMinute: limits.per_minute, perDay: limits.per_day },
        allowedIps: key.allowed_ips,
        expiresAt: key.expires_at,
        lastUsedAt: key.last_used_at,
        rotatedFrom: key.rotated_from,
        ...timesOf(key),
      };
    }),
  };
}

function userOf(user: Kind<"account">["user"]): User {
  const {
    id: userId,
    username,
    email,
    name,
    status,
    roles,
    permissions,
    tier,
    locale,
    generation,
    data,
  } = user;
  return {
    ...{ id: userId, username, email, name, status, roles, permissions, tier, locale, generation },
    data: data as User["data"],
    emailKey: user.email_key,
    emailVerified: user.email_verified,
    isSuperuser: user.is_superuser,
    mustChangePassword: user.must_change_password,
    slotTag: user.slot_tag,
    revokedTokens: user.revoked_tokens.map(({ token_id, expires_at }) => ({
      tokenId: token_id,
      expiresAt: expires_at,
    })),
    deletedAt: user.deleted_at,
    ...timesOf(user),
  };
}

function tierOf(tier: Kind<"tier">): Tier {
  const limits = tier.limits.map(({ path, limit, window_seconds }) => ({
    ...{ path, limit },
    windowSeconds: window_seconds,
  }));
  return { id: tier.id, name: tier.name, limits, ...timesOf(tier) };
}

interface Times {
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

function timesOf(row: {
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}): Times {
  return { version: row.version, createdAt: row.created_at, updatedAt: row.updated_at };
}
