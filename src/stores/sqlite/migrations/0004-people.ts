import type { Migration } from "../../sql/migration.ts";

/**
 * Plans, the sealed audit log, mail that is to be sent, and indexes for listing. The version before goes on working beside it:
 * whatever is new to its tables has a value of its own.
 */
export const people: Migration = {
  number: 4,
  name: "people",
  up: `
ALTER TABLE users ADD COLUMN must_change_password INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_created_at ON users (created_at, id);
CREATE INDEX users_tier ON users (tier) WHERE tier IS NOT NULL;
CREATE INDEX users_inactive ON users (status) WHERE status <> 'active';

CREATE INDEX audit_events_unsealed ON audit_events (position) WHERE seq IS NULL;
CREATE INDEX audit_events_type ON audit_events (type, created_at);

CREATE INDEX api_key_usage_hour ON api_key_usage (hour);

CREATE TABLE tiers (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  limits TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tiers_name ON tiers (name);

CREATE TABLE audit_checkpoints (
  seq INTEGER NOT NULL PRIMARY KEY,
  chain_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  signature TEXT NOT NULL
) STRICT;

CREATE TABLE audit_cursors (
  name TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  id TEXT NOT NULL PRIMARY KEY,
  purpose TEXT NOT NULL,
  user_id TEXT,
  locale TEXT,
  detail TEXT,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (next_attempt_at, id);
CREATE INDEX outbox_user_id ON outbox (user_id) WHERE user_id IS NOT NULL;
`,
  down: `
DROP TABLE outbox;
DROP TABLE audit_cursors;
DROP TABLE audit_checkpoints;
DROP TABLE tiers;
DROP INDEX api_key_usage_hour;
DROP INDEX audit_events_type;
DROP INDEX audit_events_unsealed;
DROP INDEX users_inactive;
DROP INDEX users_tier;
DROP INDEX users_created_at;
ALTER TABLE users DROP COLUMN must_change_password;
`,
};
