import type { Migration } from "../../sql/migration.ts";

/**
 * API keys and what they were used for, linked accounts, revoked access tokens, refresh tokens. The version before goes on
 * working beside it: whatever is new to its tables has a value of its own, and adding it rewrites no row.
 */
export const proofs: Migration = {
  number: 3,
  name: "proofs",
  up: `
ALTER TABLE users ADD COLUMN revoked_tokens text NOT NULL DEFAULT '[]';

ALTER TABLE sessions
  ADD COLUMN refresh_digest bytea,
  ADD COLUMN refresh_number bigint,
  ADD COLUMN refreshed_at bigint;

CREATE TABLE api_keys (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  secret_digest bytea NOT NULL CHECK (length(secret_digest) = 32),
  permissions text NOT NULL,
  per_minute bigint,
  per_day bigint,
  allowed_ips text NOT NULL,
  expires_at bigint,
  last_used_at bigint,
  rotated_from text,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX api_keys_user_id ON api_keys (user_id, created_at);

CREATE TABLE api_key_usage (
  key_id text COLLATE "C" NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  hour bigint NOT NULL,
  status_class smallint NOT NULL CHECK (status_class BETWEEN 1 AND 5),
  path text COLLATE "C" NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (key_id, hour, status_class, path)
);

CREATE TABLE linked_accounts (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider text NOT NULL,
  issuer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  email text,
  sealed_tokens text,
  last_used_at bigint,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE UNIQUE INDEX linked_accounts_name ON linked_accounts (issuer, subject);
CREATE INDEX linked_accounts_user_id ON linked_accounts (user_id, created_at);
`,
  down: `
DROP TABLE linked_accounts;
DROP TABLE api_key_usage;
DROP TABLE api_keys;
ALTER TABLE sessions DROP COLUMN refreshed_at, DROP COLUMN refresh_number, DROP COLUMN refresh_digest;
ALTER TABLE users DROP COLUMN revoked_tokens;
`,
};
