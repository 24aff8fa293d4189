import type { Migration } from "../../sql/migration.ts";

/**
 * The first schema. Times are milliseconds since the epoch; lists and application data are JSON, as text: `jsonb` refuses
 * "\u0000" and brings keys into another order. What is looked up is compared byte by byte (`COLLATE "C"`), whatever the
 * database's language.
 *
 * `sessions.user_id` is no foreign key: sessions are a port of their own, and one whose owner is gone is answered as absent.
 * Keys of one-time values and counters are digests: they are of any length, and some are made of addresses.
 */
export const initial: Migration = {
  number: 1,
  name: "initial",
  up: `
CREATE TABLE users (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  username text COLLATE "C" NOT NULL,
  email text NOT NULL,
  email_key text COLLATE "C" NOT NULL,
  email_verified boolean NOT NULL,
  name text,
  status text NOT NULL CHECK (status IN ('active', 'disabled', 'deleted', 'anonymized')),
  roles text NOT NULL,
  permissions text NOT NULL,
  tier text,
  is_superuser boolean NOT NULL,
  locale text,
  generation bigint NOT NULL,
  slot_tag text NOT NULL,
  data text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  deleted_at bigint
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE UNIQUE INDEX users_username ON users (username);
CREATE INDEX users_superuser ON users (status) WHERE is_superuser;
CREATE INDEX users_deleted_at ON users (deleted_at) WHERE status = 'deleted';

CREATE TABLE passwords (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  encoded text NOT NULL,
  normalization text NOT NULL CHECK (normalization IN ('nfc-1', 'raw')),
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE UNIQUE INDEX passwords_user_id ON passwords (user_id);

CREATE TABLE sessions (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  secret_digest bytea NOT NULL CHECK (length(secret_digest) = 32),
  user_id text COLLATE "C",
  generation bigint NOT NULL,
  auth_time bigint,
  amr text NOT NULL,
  is_remembered boolean NOT NULL,
  created_at bigint NOT NULL,
  last_used_at bigint NOT NULL,
  idle_expires_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ip text,
  user_agent text,
  rotated_from text,
  data text NOT NULL,
  data_version bigint NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_end ON sessions (LEAST(idle_expires_at, expires_at));

CREATE TABLE session_revocations (
  session_id text COLLATE "C" NOT NULL PRIMARY KEY,
  user_id text COLLATE "C",
  revoked_at bigint NOT NULL
);
CREATE INDEX session_revocations_user_id ON session_revocations (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX session_revocations_revoked_at ON session_revocations (revoked_at);

CREATE TABLE ephemeral (
  key_digest bytea NOT NULL PRIMARY KEY CHECK (length(key_digest) = 32),
  value text NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX ephemeral_expires_at ON ephemeral (expires_at);

CREATE TABLE counters (
  key_digest bytea NOT NULL PRIMARY KEY CHECK (length(key_digest) = 32),
  taken bigint NOT NULL,
  most bigint NOT NULL,
  expires_at bigint NOT NULL,
  CONSTRAINT counters_within_limit CHECK (taken <= most)
);
CREATE INDEX counters_expires_at ON counters (expires_at);

CREATE TABLE audit_events (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL,
  type text NOT NULL,
  created_at bigint NOT NULL,
  user_id text COLLATE "C",
  session_id text COLLATE "C",
  request_id text,
  payload text NOT NULL,
  digests text NOT NULL,
  seq bigint,
  chain_hash text
);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE UNIQUE INDEX audit_events_seq ON audit_events (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_events_created_at ON audit_events (created_at);
CREATE INDEX audit_events_user_id ON audit_events (user_id, created_at) WHERE user_id IS NOT NULL;

CREATE TABLE audit_personal (
  event_id text COLLATE "C" NOT NULL REFERENCES audit_events (id) ON DELETE CASCADE,
  field text NOT NULL CHECK (field IN ('ip', 'user_agent')),
  value text NOT NULL,
  salt text NOT NULL,
  PRIMARY KEY (event_id, field)
);
`,
  down: `
DROP TABLE audit_personal;
DROP TABLE audit_events;
DROP TABLE counters;
DROP TABLE ephemeral;
DROP TABLE session_revocations;
DROP TABLE sessions;
DROP TABLE passwords;
DROP TABLE users;
`,
};
