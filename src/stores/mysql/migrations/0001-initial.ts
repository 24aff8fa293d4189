import type { Migration } from "../../sql/migration.ts";

/**
 * The first schema. Times are milliseconds since the epoch; lists and application data are JSON, as text: a `JSON` column brings
 * keys into another order. What is looked up is `VARBINARY`: collations of text, the binary ones too, take "a" and "a " for
 * the same.
 *
 * `sessions.user_id` is no foreign key: sessions are a port of their own, and one whose owner is gone is answered as absent.
 * Keys of one-time values and counters are digests: they are of any length, and some are made of addresses.
 */
export const initial: Migration = {
  number: 1,
  name: "initial",
  up: `
CREATE TABLE IF NOT EXISTS users (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  username VARBINARY(255) NOT NULL,
  email TEXT NOT NULL,
  email_key VARBINARY(1024) NOT NULL,
  email_verified TINYINT(1) NOT NULL,
  name TEXT,
  status VARBINARY(16) NOT NULL,
  roles MEDIUMTEXT NOT NULL,
  permissions MEDIUMTEXT NOT NULL,
  tier TEXT,
  is_superuser TINYINT(1) NOT NULL,
  locale TEXT,
  generation BIGINT NOT NULL,
  slot_tag VARBINARY(64) NOT NULL,
  data MEDIUMTEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  CONSTRAINT users_status CHECK (status IN ('active', 'disabled', 'deleted', 'anonymized')),
  UNIQUE KEY users_email_key (email_key),
  UNIQUE KEY users_username (username),
  KEY users_superuser (is_superuser, status),
  KEY users_deleted_at (status, deleted_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS passwords (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  user_id VARBINARY(64) NOT NULL,
  encoded TEXT NOT NULL,
  normalization VARBINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT passwords_normalization CHECK (normalization IN ('nfc-1', 'raw')),
  UNIQUE KEY passwords_user_id (user_id),
  CONSTRAINT passwords_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  secret_digest BINARY(32) NOT NULL,
  user_id VARBINARY(64),
  generation BIGINT NOT NULL,
  auth_time BIGINT,
  amr TEXT NOT NULL,
  is_remembered TINYINT(1) NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  idle_expires_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ip TEXT,
  user_agent TEXT,
  rotated_from VARBINARY(64),
  data MEDIUMTEXT NOT NULL,
  data_version BIGINT NOT NULL,
  ends_at BIGINT GENERATED ALWAYS AS (LEAST(idle_expires_at, expires_at)) STORED,
  KEY sessions_user_id (user_id),
  KEY sessions_end (ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS session_revocations (
  session_id VARBINARY(64) NOT NULL PRIMARY KEY,
  user_id VARBINARY(64),
  revoked_at BIGINT NOT NULL,
  KEY session_revocations_user_id (user_id),
  KEY session_revocations_revoked_at (revoked_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ephemeral (
  key_digest BINARY(32) NOT NULL PRIMARY KEY,
  value MEDIUMBLOB NOT NULL,
  expires_at BIGINT NOT NULL,
  KEY ephemeral_expires_at (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS counters (
  key_digest BINARY(32) NOT NULL PRIMARY KEY,
  taken BIGINT NOT NULL,
  most BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  CONSTRAINT counters_within_limit CHECK (taken <= most),
  KEY counters_expires_at (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_events (
  position BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id VARBINARY(64) NOT NULL,
  type VARBINARY(64) NOT NULL,
  created_at BIGINT NOT NULL,
  user_id VARBINARY(64),
  session_id VARBINARY(64),
  request_id TEXT,
  payload MEDIUMTEXT NOT NULL,
  digests TEXT NOT NULL,
  seq BIGINT,
  chain_hash TEXT,
  UNIQUE KEY audit_events_id (id),
  UNIQUE KEY audit_events_seq (seq),
  KEY audit_events_created_at (created_at),
  KEY audit_events_user_id (user_id, created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_personal (
  event_id VARBINARY(64) NOT NULL,
  field VARBINARY(16) NOT NULL,
  value TEXT NOT NULL,
  salt TEXT NOT NULL,
  PRIMARY KEY (event_id, field),
  CONSTRAINT audit_personal_field CHECK (field IN ('ip', 'user_agent')),
  CONSTRAINT audit_personal_event FOREIGN KEY (event_id) REFERENCES audit_events (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS latchkey_locks (
  name VARBINARY(32) NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO latchkey_locks (name) VALUES ('empty'), ('superusers');
`,
  down: `
DROP TABLE IF EXISTS latchkey_locks;
DROP TABLE IF EXISTS audit_personal;
DROP TABLE IF EXISTS audit_events;
DROP TABLE IF EXISTS counters;
DROP TABLE IF EXISTS ephemeral;
DROP TABLE IF EXISTS session_revocations;
DROP TABLE IF EXISTS sessions;
DROP TABLE IF EXISTS passwords;
DROP TABLE IF EXISTS users;
`,
};
