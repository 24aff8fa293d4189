import type { Migration } from "../../sql/migration.ts";

/** Where sessions live in another engine: which of them have ended, on record until that engine is sure to know. */
export const revocations: Migration = {
  number: 2,
  name: "revocations",
  up: `
CREATE TABLE session_revocations (
  session_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT,
  revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_revocations_user_id ON session_revocations (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX session_revocations_revoked_at ON session_revocations (revoked_at);
`,
  down: `
DROP TABLE session_revocations;
`,
};
