import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { emailKey, isEmail } from "../../domain/identifier.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import { randomSlotTag, uuidv7 } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import { languageTag } from "../account/language-tag.ts";
import { type Dropped, type Fitting, fitting, type ImportRights } from "./fitting.ts";
import type { Account, ImportReason, ImportRecord } from "./import-record.ts";

/** What an account of a file comes to. */
export type Drafted =
  | {
      readonly account: Account;
      /** Ids under which an earlier run may have brought it: one for each configured secret. */
      readonly knownAs: readonly string[];
      readonly dropped: readonly Dropped[];
    }
  | Refused;

/** Why there is none. */
interface Refused {
  readonly refused: ImportReason;
  readonly detail: string | null;
}

/** Ids under which an account of another product is known here: one for each configured secret, the first for a new account. */
export type ImportedIds = (
  sourceId: string | null,
  email: string,
  createdAt: Date | null,
) => readonly [string, ...string[]];

/**
 * An account's id is made of the product, its id and its address there, under a key of ours: the same record gives the same
 * id in the next run, so that nothing is brought twice, and nobody else can tell whose address an id was made of.
 *
 * @param source - which product
 */
export function importedIds({ keys }: Pick<Services, "keys">, source: string): ImportedIds {
  const [first, ...others] = keys.derived("import-id").map((bytes) => createSecretKey(bytes));
  return (sourceId, email, createdAt) => {
    const text = JSON.stringify([source, sourceId, emailKey(email)]);
    const idUnder = (key: KeyObject): string => {
      const mac = createHmac("sha256", key).update(text).digest();
      return uuidv7(createdAt ?? new Date(0), (length) => mac.subarray(0, length));
    };
    return [idUnder(first as KeyObject), ...others.map(idUnder)];
  };
}

/** The account that another product's record becomes. Whether its address and name are free is for the directory. */
export function draftAccount(
  services: PasswordServices,
  idsOf: ImportedIds,
  record: ImportRecord,
  rights: ImportRights,
): Drafted {
  const email = record.email?.trim().normalize("NFC") ?? "";
  if (email === "") return { refused: "email_missing", detail: null };
  if (!isEmail(email)) return { refused: "email_invalid", detail: null };
  const { passwordHash } = record;
  const refusal = hashRefusal(services, passwordHash);
  if (refusal !== null) return refusal;
  const now = services.clock.now();
  const age = record.createdAt !== null && record.createdAt <= now ? record.createdAt : null;
  const ids = idsOf(record.sourceId, email, age);
  const { changes, dropped } = fitting(services, { ...record, email, tier: null }, rights);
  const user = newUser(services, { id: ids[0], email, createdAt: age ?? now }, record, changes);
  return {
    account: {
      user,
      password: passwordHash === null ? null : importedPassword(user, passwordHash),
      linkedAccounts: record.linkedAccounts.map((link) => importedLink(services, user, link)),
      apiKeys: [],
    },
    knownAs: ids,
    dropped,
  };
}

/** Why a hash cannot come in, or null. */
export function hashRefusal({ hashing }: PasswordServices, encoded: string | null): Refused | null {
  if (encoded === null || hashing.format(encoded) !== null) return null;
  return { refused: "password_hash_refused", detail: "in no format that is enabled, or beyond its bounds" };
}

function newUser(
  { clock, random }: PasswordServices,
  made: Pick<User, "id" | "email" | "createdAt">,
  record: ImportRecord,
  changes: Fitting,
): User {
  const bytes = (length: number): Uint8Array => random.bytes(length);
  return {
    ...made,
    ...changes,
    emailKey: emailKey(made.email),
    emailVerified: record.emailVerified,
    status: record.isActive ? "active" : "disabled",
    mustChangePassword: false,
    // Products keep "en_US" and worse; what is no tag says nothing.
    locale: languageTag(record.locale?.replaceAll("_", "-") ?? null),
    generation: 1,
    slotTag: randomSlotTag(bytes),
    data: {},
    revokedTokens: [],
    version: 1,
    updatedAt: clock.now(),
    deletedAt: null,
  };
}

function importedPassword(user: User, encoded: string): Account["password"] {
  const { id, createdAt, updatedAt } = user;
  return {
    kind: "password",
    id,
    userId: id,
    encoded,
    normalization: "raw",
    version: 1,
    createdAt,
    updatedAt,
  };
}

function importedLink({ clock, random }: PasswordServices, user: User, link: LinkOf): LinkedAccount {
  const now = clock.now();
  return {
    ...link,
    kind: "linked-account",
    id: uuidv7(now, (length) => random.bytes(length)),
    userId: user.id,
    sealedTokens: null,
    lastUsedAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

type LinkOf = ImportRecord["linkedAccounts"][number];
