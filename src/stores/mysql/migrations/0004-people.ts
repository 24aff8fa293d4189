import type { Migration } from "../../sql/migration.ts";
import { change, changeIndex, type NewColumns, type NewIndex } from "./changes.ts";

const ofUsers: NewColumns = {
  table: "users",
  column: "must_change_password",
  add: "ADD COLUMN must_change_password TINYINT(1) NOT NULL DEFAULT 0",
  drop: "DROP COLUMN must_change_password",
};

const indexes: readonly NewIndex[] = [
  { table: "audit_events", index: "audit_events_type", columns: "type, created_at" },
  { table: "api_key_usage", index: "api_key_usage_hour", columns: "hour" },
  { table: "users", index: "users_created_at", columns: "created_at, id" },
  { table: "users", index: "users_tier", columns: "tier(64)" },
];

function changeIndexes(isAdded: boolean): string {
  return indexes.map((index) => changeIndex(index, isAdded)).join("\n");
}

/**
 * Plans, the sealed audit log, mail that is to be sent, and indexes for listing. The version before goes on working beside it:
 * whatever is new to its tables has a value of its own, and the server builds indexes while others read and write.
 */
export const people: Migration = {
  number: 4,
  name: "people",
  up: `${change(ofUsers, true)}
${changeIndexes(true)}

CREATE TABLE IF NOT EXISTS tiers (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  name VARBINARY(255) NOT NULL,
  limits MEDIUMTEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY tiers_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_checkpoints (
  seq BIGINT NOT NULL PRIMARY KEY,
  chain_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  signature TEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_cursors (
  name VARBINARY(255) NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS outbox (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  purpose VARBINARY(64) NOT NULL,
  user_id VARBINARY(64),
  locale TEXT,
  detail MEDIUMTEXT,
  attempts BIGINT NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  KEY outbox_due (next_attempt_at, id),
  KEY outbox_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO latchkey_locks (name) VALUES ('audit');
`,
  down: `
DELETE FROM latchkey_locks WHERE name = 'audit';
DROP TABLE IF EXISTS outbox;
DROP TABLE IF EXISTS audit_cursors;
DROP TABLE IF EXISTS audit_checkpoints;
DROP TABLE IF EXISTS tiers;
${changeIndexes(false)}
${change(ofUsers, false)}
`,
};
