import type { Queries } from "../sql/queries.ts";
import { statement } from "./statement.ts";

// Each fact is a line that people can read, since the missing ones are what a refusal shows. Of the indexes the unique ones,
// whole or in part, and of the checks the one that counters rely on: without the others Latchkey is slower, not wrong.
const facts = statement<readonly [fact: string]>(`
  SELECT format('table %s: column %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) ||
    CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS fact
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
  UNION ALL
  SELECT format('unique index %s on %s (%s)%s', i.relname, c.relname,
    (SELECT string_agg(a.attname, ', ' ORDER BY place) FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum),
    CASE WHEN x.indpred IS NULL THEN '' ELSE ' in part' END)
  FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid AND x.indisunique AND x.indisvalid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
  UNION ALL
  SELECT format('check %s on %s', k.conname, c.relname)
  FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
  WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)`);

/** The facts about Latchkey's tables as they are. */
export async function schemaFacts(queries: Queries): Promise<readonly string[]> {
  return (await queries.all(facts, tables)).map(([fact]) => fact);
}

const tables = [
  "api_key_usage",
  "api_keys",
  "audit_events",
  "audit_personal",
  "counters",
  "ephemeral",
  "linked_accounts",
  "passwords",
  "session_revocations",
  "sessions",
  "users",
];

/** The facts that all migrations together make. */
export const expectedFacts: readonly string[] = `
check counters_within_limit on counters
table api_key_usage: column count bigint not null
table api_key_usage: column hour bigint not null
table api_key_usage: column key_id text not null
table api_key_usage: column path text not null
table api_key_usage: column status_class smallint not null
table api_keys: column allowed_ips text not null
table api_keys: column created_at bigint not null
table api_keys: column expires_at bigint
table api_keys: column id text not null
table api_keys: column last_used_at bigint
table api_keys: column name text not null
table api_keys: column per_day bigint
table api_keys: column per_minute bigint
table api_keys: column permissions text not null
table api_keys: column rotated_from text
table api_keys: column secret_digest bytea not null
table api_keys: column updated_at bigint not null
table api_keys: column user_id text not null
table api_keys: column version bigint not null
table audit_events: column chain_hash text
table audit_events: column created_at bigint not null
table audit_events: column digests text not null
table audit_events: column id text not null
table audit_events: column payload text not null
table audit_events: column position bigint not null
table audit_events: column request_id text
table audit_events: column seq bigint
table audit_events: column session_id text
table audit_events: column type text not null
table audit_events: column user_id text
table audit_personal: column event_id text not null
table audit_personal: column field text not null
table audit_personal: column salt text not null
table audit_personal: column value text not null
table counters: column expires_at bigint not null
table counters: column key_digest bytea not null
table counters: column most bigint not null
table counters: column taken bigint not null
table ephemeral: column expires_at bigint not null
table ephemeral: column key_digest bytea not null
table ephemeral: column value text not null
table linked_accounts: column created_at bigint not null
table linked_accounts: column email text
table linked_accounts: column id text not null
table linked_accounts: column issuer text not null
table linked_accounts: column last_used_at bigint
table linked_accounts: column provider text not null
table linked_accounts: column sealed_tokens text
table linked_accounts: column subject text not null
table linked_accounts: column updated_at bigint not null
table linked_accounts: column user_id text not null
table linked_accounts: column version bigint not null
table passwords: column created_at bigint not null
table passwords: column encoded text not null
table passwords: column id text not null
table passwords: column normalization text not null
table passwords: column updated_at bigint not null
table passwords: column user_id text not null
table passwords: column version bigint not null
table session_revocations: column revoked_at bigint not null
table session_revocations: column session_id text not null
table session_revocations: column user_id text
table sessions: column amr text not null
table sessions: column auth_time bigint
table sessions: column created_at bigint not null
table sessions: column data text not null
table sessions: column data_version bigint not null
table sessions: column expires_at bigint not null
table sessions: column generation bigint not null
table sessions: column id text not null
table sessions: column idle_expires_at bigint not null
table sessions: column ip text
table sessions: column is_remembered boolean not null
table sessions: column last_used_at bigint not null
table sessions: column refresh_digest bytea
table sessions: column refresh_number bigint
table sessions: column refreshed_at bigint
table sessions: column rotated_from text
table sessions: column secret_digest bytea not null
table sessions: column user_agent text
table sessions: column user_id text
table users: column created_at bigint not null
table users: column data text not null
table users: column deleted_at bigint
table users: column email text not null
table users: column email_key text not null
table users: column email_verified boolean not null
table users: column generation bigint not null
table users: column id text not null
table users: column is_superuser boolean not null
table users: column locale text
table users: column name text
table users: column permissions text not null
table users: column revoked_tokens text not null
table users: column roles text not null
table users: column slot_tag text not null
table users: column status text not null
table users: column tier text
table users: column updated_at bigint not null
table users: column username text not null
table users: column version bigint not null
unique index api_key_usage_pkey on api_key_usage (key_id, hour, status_class, path)
unique index api_keys_pkey on api_keys (id)
unique index audit_events_id on audit_events (id)
unique index audit_events_pkey on audit_events (position)
unique index audit_events_seq on audit_events (seq) in part
unique index audit_personal_pkey on audit_personal (event_id, field)
unique index counters_pkey on counters (key_digest)
unique index ephemeral_pkey on ephemeral (key_digest)
unique index linked_accounts_name on linked_accounts (issuer, subject)
unique index linked_accounts_pkey on linked_accounts (id)
unique index passwords_pkey on passwords (id)
unique index passwords_user_id on passwords (user_id)
unique index session_revocations_pkey on session_revocations (session_id)
unique index sessions_pkey on sessions (id)
unique index users_email_key on users (email_key)
unique index users_pkey on users (id)
unique index users_username on users (username)
`
  .trim()
  .split("\n");
