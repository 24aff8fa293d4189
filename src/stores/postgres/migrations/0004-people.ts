import type { Migration } from "../../sql/migration.ts";

/**
 * Plans, the sealed audit log, mail that is to be sent, and indexes for listing. The version before goes on working beside it:
 * whatever is new to its tables has a value of its own.
 *
 * Indexes of tables that may be large come first: while they are built, others read and do not write. `users` itself is closed
 * last, for as long as it takes to note a column. Whoever made these indexes before, `CONCURRENTLY`, has them already.
 */
export const people: Migration = {
  number: 4,
  name: "people",
  up: `
CREATE INDEX IF NOT EXISTS audit_events_unsealed ON audit_events (position) WHERE seq IS NULL;
CREATE INDEX IF NOT EXISTS audit_events_type ON audit_events (type, created_at);
CREATE INDEX IF NOT EXISTS api_key_usage_hour ON api_key_usage (hour);
CREATE INDEX IF NOT EXISTS users_created_at ON users (created_at, id);
CREATE INDEX IF NOT EXISTS users_tier ON users (tier) WHERE tier IS NOT NULL;

CREATE TABLE tiers (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  limits text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE UNIQUE INDEX tiers_name ON tiers (name);

CREATE TABLE audit_checkpoints (
  seq bigint NOT NULL PRIMARY KEY,
  chain_hash text NOT NULL,
  created_at bigint NOT NULL,
  signature text NOT NULL
);

CREATE TABLE audit_cursors (
  name text COLLATE "C" NOT NULL PRIMARY KEY,
  seq bigint NOT NULL
);

CREATE TABLE outbox (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  purpose text NOT NULL,
  user_id text COLLATE "C",
  locale text,
  detail text,
  attempts bigint NOT NULL,
  next_attempt_at bigint NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX outbox_due ON outbox (next_attempt_at, id);
CREATE INDEX outbox_user_id ON outbox (user_id) WHERE user_id IS NOT NULL;

ALTER TABLE users ADD COLUMN must_change_password boolean NOT NULL DEFAULT false;
`,
  down: `
ALTER TABLE users DROP COLUMN must_change_password;
DROP TABLE outbox;
DROP TABLE audit_cursors;
DROP TABLE audit_checkpoints;
DROP TABLE tiers;
DROP INDEX users_tier;
DROP INDEX users_created_at;
DROP INDEX api_key_usage_hour;
DROP INDEX audit_events_type;
DROP INDEX audit_events_unsealed;
`,
};
