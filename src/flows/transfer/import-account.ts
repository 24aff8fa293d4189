import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { emailKey, isEmail, usernameKey } from "../../domain/identifier.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import { randomBase62, randomSlotTag, uuidv7 } from "../../domain/random.ts";
import { isPermission, isRoleName } from "../../domain/rights.ts";
import type { User } from "../../domain/user.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import { languageTag } from "../account/language-tag.ts";
import { nameErrors } from "../account/register.ts";
import type { Account, ImportReason, ImportRecord } from "./import-record.ts";

/** What may be taken from the file besides the accounts themselves. */
export interface ImportRights {
  /** Roles, permissions and plans, and names under which somebody speaks for the service (`admin`). Default false. */
  readonly allowsRoles?: boolean;
  /** The superuser flag. Default false. */
  readonly allowsSuperuser?: boolean;
}

/** What a record comes to. */
export type Drafted =
  | {
      readonly account: Account;
      /** Ids under which an earlier run may have brought it: one for each configured secret. */
      readonly knownAs: readonly string[];
      readonly dropped: readonly Dropped[];
    }
  | { readonly refused: ImportReason; readonly detail: string | null };

/** What was left out of an account that is imported all the same. */
export interface Dropped {
  readonly reason: ImportReason;
  readonly detail: string | null;
}

/** Roles or permissions of one user at most; more is no file of accounts. */
const mostRights = 100;

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
  if (passwordHash !== null && services.hashing.format(passwordHash) === null) {
    return { refused: "password_hash_refused", detail: "in no format that is enabled, or beyond its bounds" };
  }
  const now = services.clock.now();
  const age = record.createdAt !== null && record.createdAt <= now ? record.createdAt : null;
  const ids = idsOf(record.sourceId, email, age);
  const { changes, dropped } = fitting(record, email, rights);
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

type Fitting = Pick<User, "name" | "roles" | "permissions" | "isSuperuser"> & {
  readonly username: string | null;
};

function fitting(
  record: ImportRecord,
  email: string,
  { allowsRoles = false, allowsSuperuser = false }: ImportRights,
): { readonly changes: Fitting; readonly dropped: readonly Dropped[] } {
  const dropped: Dropped[] = [];
  const drop = (reason: ImportReason, detail: string | null = null): void =>
    void dropped.push({ reason, detail });
  // What such a name lets somebody say is as good as a role.
  const username = usernameKey(record.username ?? "", { isOperators: allowsRoles });
  // Many products hold the address as the username; here one signs in with it anyway.
  const isAddress = emailKey(record.username ?? "") === emailKey(email);
  if (record.username?.trim() && username === null && !isAddress) drop("username_replaced", record.username);
  const name = record.name?.trim() || null;
  const isName = nameErrors(name).length === 0;
  if (!isName) drop("name_dropped");
  const roles = allowsRoles ? record.roles.filter(isRoleName).slice(0, mostRights) : [];
  const permissions = allowsRoles ? record.permissions.filter(isPermission).slice(0, mostRights) : [];
  const lost = record.roles.length + record.permissions.length - roles.length - permissions.length;
  if (lost > 0) drop("rights_dropped", [...record.roles, ...record.permissions].join(", ").slice(0, 500));
  const isSuperuser = record.isSuperuser && allowsSuperuser;
  if (record.isSuperuser && !isSuperuser) drop("superuser_dropped");
  return { changes: { username, name: isName ? name : null, roles, permissions, isSuperuser }, dropped };
}

function newUser(
  { clock, random }: PasswordServices,
  made: Pick<User, "id" | "email" | "createdAt">,
  record: ImportRecord,
  { username, ...changes }: Fitting,
): User {
  const bytes = (length: number): Uint8Array => random.bytes(length);
  return {
    ...made,
    ...changes,
    username: username ?? `u${randomBase62(12, bytes)}`.toLowerCase(),
    emailKey: emailKey(made.email),
    emailVerified: record.emailVerified,
    status: record.isActive ? "active" : "disabled",
    tier: null,
    mustChangePassword: false,
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

// Products keep "en_US" and worse; what is no tag says nothing.
