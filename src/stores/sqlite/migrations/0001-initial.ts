import type { Migration } from "../../sql/migration.ts";

/**
 * The first schema. Times are milliseconds since the epoch, digests are BLOB, lists and application data are JSON text.
 *
 * `sessions.user_id` is no foreign key: sessions are a port of their own, and one whose owner is gone is answered as absent.
 * Tables that are looked up by a random key have no rowid, which saves a second descent on the way to the row.
 */
export const initial: Migration = {
  number: 1,
  name: "initial",
  up: `
CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY,
  username TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
  name TEXT,
  status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'deleted', 'anonymized')),
  roles TEXT NOT NULL,
  permissions TEXT NOT NULL,
  tier TEXT,
  is_superuser INTEGER NOT NULL CHECK (is_superuser IN (0, 1)),
  locale TEXT,
  generation INTEGER NOT NULL,
  slot_tag TEXT NOT NULL,
  data TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE UNIQUE INDEX users_username ON users (username);
CREATE INDEX users_superuser ON users (status) WHERE is_superuser = 1;
CREATE INDEX users_deleted_at ON users (deleted_at) WHERE status = 'deleted';

CREATE TABLE passwords (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  encoded TEXT NOT NULL,
  normalization TEXT NOT NULL CHECK (normalization IN ('nfc-1', 'raw')),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX passwords_user_id ON passwords (user_id);

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  secret_digest BLOB NOT NULL CHECK (length(secret_digest) = 32),
  user_id TEXT,
  generation INTEGER NOT NULL,
  auth_time INTEGER,
  amr TEXT NOT NULL,
  is_remembered INTEGER NOT NULL CHECK (is_remembered IN (0, 1)),
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  idle_expires_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ip TEXT,
  user_agent TEXT,
  rotated_from TEXT,
  data TEXT NOT NULL,
  data_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user_id ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_end ON sessions (min(idle_expires_at, expires_at));

CREATE TABLE ephemeral (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ephemeral_expires_at ON ephemeral (expires_at);

CREATE TABLE counters (
  key TEXT NOT NULL PRIMARY KEY,
  taken INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_expires_at ON counters (expires_at);

CREATE TABLE audit_events (
  position INTEGER NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  user_id TEXT,
  session_id TEXT,
  request_id TEXT,
  payload TEXT NOT NULL,
  digests TEXT NOT NULL,
  seq INTEGER,
  chain_hash TEXT
) STRICT;
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE UNIQUE INDEX audit_events_seq ON audit_events (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_events_created_at ON audit_events (created_at);
CREATE INDEX audit_events_user_id ON audit_events (user_id, created_at) WHERE user_id IS NOT NULL;

CREATE TABLE audit_personal (
  event_id TEXT NOT NULL REFERENCES audit_events (id) ON DELETE CASCADE,
  field TEXT NOT NULL CHECK (field IN ('ip', 'user_agent')),
  value TEXT NOT NULL,
  salt TEXT NOT NULL,
  PRIMARY KEY (event_id, field)
) STRICT, WITHOUT ROWID;
`,
  down: `
DROP TABLE audit_personal;
DROP TABLE audit_events;
DROP TABLE counters;
DROP TABLE ephemeral;
DROP TABLE sessions;
DROP TABLE passwords;
DROP TABLE users;
`,
};
