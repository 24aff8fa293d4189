import type { Migration } from "../../sql/migration.ts";

/**
 * API keys and what they were used for, linked accounts, revoked access tokens, refresh tokens. The version before goes on
 * working beside it: whatever is new to its tables has a value of its own.
 */
export const proofs: Migration = {
  number: 3,
  name: "proofs",
  up: `
ALTER TABLE users ADD COLUMN revoked_tokens TEXT NOT NULL DEFAULT '[]';

ALTER TABLE sessions ADD COLUMN refresh_digest BLOB CHECK (length(refresh_digest) = 32);
ALTER TABLE sessions ADD COLUMN refresh_number INTEGER;
ALTER TABLE sessions ADD COLUMN refreshed_at INTEGER;

CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  secret_digest BLOB NOT NULL CHECK (length(secret_digest) = 32),
  permissions TEXT NOT NULL,
  per_minute INTEGER,
  per_day INTEGER,
  allowed_ips TEXT NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  rotated_from TEXT,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_user_id ON api_keys (user_id, created_at);

CREATE TABLE api_key_usage (
  key_id TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  hour INTEGER NOT NULL,
  status_class INTEGER NOT NULL CHECK (status_class BETWEEN 1 AND 5),
  path TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (key_id, hour, status_class, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE linked_accounts (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT,
  sealed_tokens TEXT,
  last_used_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX linked_accounts_name ON linked_accounts (issuer, subject);
CREATE INDEX linked_accounts_user_id ON linked_accounts (user_id, created_at);
`,
  down: `
DROP TABLE linked_accounts;
DROP TABLE api_key_usage;
DROP TABLE api_keys;
ALTER TABLE sessions DROP COLUMN refreshed_at;
ALTER TABLE sessions DROP COLUMN refresh_number;
ALTER TABLE sessions DROP COLUMN refresh_digest;
ALTER TABLE users DROP COLUMN revoked_tokens;
`,
};
