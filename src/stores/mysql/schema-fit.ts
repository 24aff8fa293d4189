import type { Queries } from "../sql/queries.ts";
import { statement } from "./statement.ts";

const tables =
  "('api_key_usage', 'api_keys', 'audit_events', 'audit_personal', 'counters', 'ephemeral', 'latchkey_locks', " +
  "'linked_accounts', 'passwords', 'session_revocations', 'sessions', 'users')";

// Each fact is a line that people can read, since the missing ones are what a refusal shows. Of the indexes the unique ones,
// and of the checks the one that counters rely on: without the others Latchkey is slower, not wrong.
const facts = statement<readonly [fact: string]>(`
  SELECT CONCAT('table ', table_name, ': column ', column_name, ' ', column_type, IFNULL(CONCAT(' ', collation_name), ''),
    IF(is_nullable = 'NO', ' not null', '')) AS fact
  FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN ${tables}
  UNION ALL
  SELECT CONCAT('unique index ', index_name, ' on ', table_name, ' (',
    GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', '), ')')
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name IN ${tables} AND non_unique = 0
  GROUP BY table_name, index_name HAVING COUNT(sub_part) = 0
  UNION ALL
  SELECT CONCAT('check ', constraint_name)
  FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()`);

/** The facts about Latchkey's tables as they are. */
export async function schemaFacts(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.all(facts);
  // MariaDB says how wide a number is shown, MySQL no longer does.
  return rows.map(([fact]) => fact.replace(/\bbigint\(\d+\)/, "bigint"));
}

/** The facts that all migrations together make. */
export const expectedFacts: readonly string[] = `
check counters_within_limit
table api_key_usage: column count bigint not null
table api_key_usage: column hour bigint not null
table api_key_usage: column key_id varbinary(64) not null
table api_key_usage: column path varbinary(800) not null
table api_key_usage: column status_class tinyint(1) not null
table api_keys: column allowed_ips mediumtext utf8mb4_bin not null
table api_keys: column created_at bigint not null
table api_keys: column expires_at bigint
table api_keys: column id varbinary(64) not null
table api_keys: column last_used_at bigint
table api_keys: column name text utf8mb4_bin not null
table api_keys: column per_day bigint
table api_keys: column per_minute bigint
table api_keys: column permissions mediumtext utf8mb4_bin not null
table api_keys: column rotated_from varbinary(64)
table api_keys: column secret_digest binary(32) not null
table api_keys: column updated_at bigint not null
table api_keys: column user_id varbinary(64) not null
table api_keys: column version bigint not null
table audit_events: column chain_hash text utf8mb4_bin
table audit_events: column created_at bigint not null
table audit_events: column digests text utf8mb4_bin not null
table audit_events: column id varbinary(64) not null
table audit_events: column payload mediumtext utf8mb4_bin not null
table audit_events: column position bigint not null
table audit_events: column request_id text utf8mb4_bin
table audit_events: column seq bigint
table audit_events: column session_id varbinary(64)
table audit_events: column type varbinary(64) not null
table audit_events: column user_id varbinary(64)
table audit_personal: column event_id varbinary(64) not null
table audit_personal: column field varbinary(16) not null
table audit_personal: column salt text utf8mb4_bin not null
table audit_personal: column value text utf8mb4_bin not null
table counters: column expires_at bigint not null
table counters: column key_digest binary(32) not null
table counters: column most bigint not null
table counters: column taken bigint not null
table ephemeral: column expires_at bigint not null
table ephemeral: column key_digest binary(32) not null
table ephemeral: column value mediumblob not null
table latchkey_locks: column name varbinary(32) not null
table linked_accounts: column created_at bigint not null
table linked_accounts: column email text utf8mb4_bin
table linked_accounts: column id varbinary(64) not null
table linked_accounts: column issuer varbinary(1024) not null
table linked_accounts: column last_used_at bigint
table linked_accounts: column provider text utf8mb4_bin not null
table linked_accounts: column sealed_tokens mediumtext utf8mb4_bin
table linked_accounts: column subject varbinary(1024) not null
table linked_accounts: column updated_at bigint not null
table linked_accounts: column user_id varbinary(64) not null
table linked_accounts: column version bigint not null
table passwords: column created_at bigint not null
table passwords: column encoded text utf8mb4_bin not null
table passwords: column id varbinary(64) not null
table passwords: column normalization varbinary(16) not null
table passwords: column updated_at bigint not null
table passwords: column user_id varbinary(64) not null
table passwords: column version bigint not null
table session_revocations: column revoked_at bigint not null
table session_revocations: column session_id varbinary(64) not null
table session_revocations: column user_id varbinary(64)
table sessions: column amr text utf8mb4_bin not null
table sessions: column auth_time bigint
table sessions: column created_at bigint not null
table sessions: column data mediumtext utf8mb4_bin not null
table sessions: column data_version bigint not null
table sessions: column ends_at bigint
table sessions: column expires_at bigint not null
table sessions: column generation bigint not null
table sessions: column id varbinary(64) not null
table sessions: column idle_expires_at bigint not null
table sessions: column ip text utf8mb4_bin
table sessions: column is_remembered tinyint(1) not null
table sessions: column last_used_at bigint not null
table sessions: column refresh_digest binary(32)
table sessions: column refresh_number bigint
table sessions: column refreshed_at bigint
table sessions: column rotated_from varbinary(64)
table sessions: column secret_digest binary(32) not null
table sessions: column user_agent text utf8mb4_bin
table sessions: column user_id varbinary(64)
table users: column created_at bigint not null
table users: column data mediumtext utf8mb4_bin not null
table users: column deleted_at bigint
table users: column email text utf8mb4_bin not null
table users: column email_key varbinary(1024) not null
table users: column email_verified tinyint(1) not null
table users: column generation bigint not null
table users: column id varbinary(64) not null
table users: column is_superuser tinyint(1) not null
table users: column locale text utf8mb4_bin
table users: column name text utf8mb4_bin
table users: column permissions mediumtext utf8mb4_bin not null
table users: column revoked_tokens mediumtext utf8mb4_bin not null
table users: column roles mediumtext utf8mb4_bin not null
table users: column slot_tag varbinary(64) not null
table users: column status varbinary(16) not null
table users: column tier text utf8mb4_bin
table users: column updated_at bigint not null
table users: column username varbinary(255) not null
table users: column version bigint not null
unique index PRIMARY on api_key_usage (key_id, hour, status_class, path)
unique index PRIMARY on api_keys (id)
unique index PRIMARY on audit_events (position)
unique index PRIMARY on audit_personal (event_id, field)
unique index PRIMARY on counters (key_digest)
unique index PRIMARY on ephemeral (key_digest)
unique index PRIMARY on latchkey_locks (name)
unique index PRIMARY on linked_accounts (id)
unique index PRIMARY on passwords (id)
unique index PRIMARY on session_revocations (session_id)
unique index PRIMARY on sessions (id)
unique index PRIMARY on users (id)
unique index audit_events_id on audit_events (id)
unique index audit_events_seq on audit_events (seq)
unique index linked_accounts_name on linked_accounts (issuer, subject)
unique index passwords_user_id on passwords (user_id)
unique index users_email_key on users (email_key)
unique index users_username on users (username)
`
  .trim()
  .split("\n");
