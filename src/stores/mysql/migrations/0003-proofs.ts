import type { Migration } from "../../sql/migration.ts";
import { change, type NewColumns } from "./changes.ts";

const ofUsers: NewColumns = {
  table: "users",
  column: "revoked_tokens",
  add: "ADD COLUMN revoked_tokens MEDIUMTEXT NOT NULL DEFAULT (''[]'')",
  drop: "DROP COLUMN revoked_tokens",
};

const ofSessions: NewColumns = {
  table: "sessions",
  column: "refresh_digest",
  add: "ADD COLUMN refresh_digest BINARY(32), ADD COLUMN refresh_number BIGINT, ADD COLUMN refreshed_at BIGINT",
  drop: "DROP COLUMN refreshed_at, DROP COLUMN refresh_number, DROP COLUMN refresh_digest",
};

/**
 * API keys and what they were used for, linked accounts, revoked access tokens, refresh tokens. The version before goes on
 * working beside it: whatever is new to its tables has a value of its own.
 */
export const proofs: Migration = {
  number: 3,
  name: "proofs",
  up: `${change(ofUsers, true)}
${change(ofSessions, true)}

CREATE TABLE IF NOT EXISTS api_keys (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  user_id VARBINARY(64) NOT NULL,
  name TEXT NOT NULL,
  secret_digest BINARY(32) NOT NULL,
  permissions MEDIUMTEXT NOT NULL,
  per_minute BIGINT,
  per_day BIGINT,
  allowed_ips MEDIUMTEXT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  rotated_from VARBINARY(64),
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  KEY api_keys_user_id (user_id, created_at),
  CONSTRAINT api_keys_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS api_key_usage (
  key_id VARBINARY(64) NOT NULL,
  hour BIGINT NOT NULL,
  status_class TINYINT(1) NOT NULL,
  path VARBINARY(800) NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (key_id, hour, status_class, path),
  CONSTRAINT api_key_usage_status_class CHECK (status_class BETWEEN 1 AND 5),
  CONSTRAINT api_key_usage_key FOREIGN KEY (key_id) REFERENCES api_keys (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS linked_accounts (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  user_id VARBINARY(64) NOT NULL,
  provider TEXT NOT NULL,
  issuer VARBINARY(1024) NOT NULL,
  subject VARBINARY(1024) NOT NULL,
  email TEXT,
  sealed_tokens MEDIUMTEXT,
  last_used_at BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY linked_accounts_name (issuer, subject),
  KEY linked_accounts_user_id (user_id, created_at),
  CONSTRAINT linked_accounts_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
`,
  down: `
DROP TABLE IF EXISTS linked_accounts;
DROP TABLE IF EXISTS api_key_usage;
DROP TABLE IF EXISTS api_keys;
${change(ofSessions, false)}
${change(ofUsers, false)}
`,
};
