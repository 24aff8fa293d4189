/** What a column holds; each engine has a type for it. */
export type Kind =
  /** Ids and words of ours, up to 64 bytes. */
  | "id"
  /** One of a few words. */
  | "word"
  | "name"
  | "key"
  | "path"
  | "text"
  /** Lists and application data, as JSON. */
  | "long"
  /** Text of which nothing is compared. */
  | "value"
  /** 32 bytes. */
  | "digest"
  | "number"
  | "flag"
  | "class";

/** Each table: its columns in no order, what they hold, and `!` where never null. */
const tables: Readonly<Record<string, string>> = {
  users:
    "id id!, username name!, email text!, email_key key!, email_verified flag!, name text, status word!, roles long!, " +
    "permissions long!, tier text, is_superuser flag!, locale text, generation number!, slot_tag id!, data long!, " +
    "version number!, created_at number!, updated_at number!, deleted_at number, revoked_tokens long!, must_change_password flag!",
  passwords:
    "id id!, user_id id!, encoded text!, normalization word!, version number!, created_at number!, updated_at number!",
  sessions:
    "id id!, secret_digest digest!, user_id id, generation number!, auth_time number, amr text!, is_remembered flag!, " +
    "created_at number!, last_used_at number!, idle_expires_at number!, expires_at number!, ip text, user_agent text, " +
    "rotated_from id, data long!, data_version number!, refresh_digest digest, refresh_number number, refreshed_at number",
  session_revocations: "session_id id!, user_id id, revoked_at number!",
  ephemeral: "key_digest digest!, value value!, expires_at number!",
  counters: "key_digest digest!, taken number!, most number!, expires_at number!",
  audit_events:
    "position number!, id id!, type id!, created_at number!, user_id id, session_id id, request_id text, payload long!, " +
    "digests text!, seq number, chain_hash text",
  audit_personal: "event_id id!, field word!, value text!, salt text!",
  audit_checkpoints: "seq number!, chain_hash text!, created_at number!, signature text!",
  audit_cursors: "name name!, seq number!",
  api_keys:
    "id id!, user_id id!, name text!, secret_digest digest!, permissions long!, per_minute number, per_day number, " +
    "allowed_ips long!, expires_at number, last_used_at number, rotated_from id, version number!, created_at number!, " +
    "updated_at number!",
  api_key_usage: "key_id id!, hour number!, status_class class!, path path!, count number!",
  linked_accounts:
    "id id!, user_id id!, provider text!, issuer key!, subject key!, email text, sealed_tokens long, last_used_at number, " +
    "version number!, created_at number!, updated_at number!",
  tiers: "id id!, name name!, limits long!, version number!, created_at number!, updated_at number!",
  outbox:
    "id id!, purpose id!, user_id id, locale text, detail long, attempts number!, next_attempt_at number!, created_at number!",
};

const primaryKeys: Readonly<Record<string, string>> = {
  users: "id",
  passwords: "id",
  sessions: "id",
  session_revocations: "session_id",
  ephemeral: "key_digest",
  counters: "key_digest",
  audit_events: "position",
  audit_personal: "event_id, field",
  audit_checkpoints: "seq",
  audit_cursors: "name",
  api_keys: "id",
  api_key_usage: "key_id, hour, status_class, path",
  linked_accounts: "id",
  tiers: "id",
  outbox: "id",
};

const uniqueIndexes: readonly string[] = [
  "audit_events_id on audit_events (id)",
  "audit_events_seq on audit_events (seq)",
  "linked_accounts_name on linked_accounts (issuer, subject)",
  "passwords_user_id on passwords (user_id)",
  "tiers_name on tiers (name)",
  "users_email_key on users (email_key)",
  "users_username on users (username)",
];

/** The tables that every engine has. */
export const tableNames: readonly string[] = Object.keys(tables);

/** What a column is called in a fact: a line that people can read, since the missing ones are what a refusal shows. */
export function columnFact(table: string, column: string, type: string, isNeverNull: boolean): string {
  return `table ${table}: column ${column} ${type}${isNeverNull ? " not null" : ""}`;
}

/** The facts about columns, by the engine's types. */
export function columnFacts(types: Readonly<Record<Kind, string>>): readonly string[] {
  return Object.entries(tables).flatMap(([table, columns]) =>
    columns.split(", ").map((text) => {
      const [column = "", kind = ""] = text.split(/[ !]/);
      return columnFact(table, column, types[kind as Kind], text.endsWith("!"));
    }),
  );
}

/** The facts about unique indexes; `primary` is what the engine calls the one of a table's primary key. */
export function uniqueFacts(primary: (table: string) => string): readonly string[] {
  const keys = Object.entries(primaryKeys).map(
    ([table, columns]) => `${primary(table)} on ${table} (${columns})`,
  );
  return [...keys, ...uniqueIndexes].map((index) => `unique index ${index}`);
}
