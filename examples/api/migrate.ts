import { readdirSync, readFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

const folder = new URL("migrations/", import.meta.url);

/** Applies what is pending, in the order of the names, and answers it. */
export function migrateUp(db: DatabaseSync): readonly string[] {
  const applied = new Set(appliedTo(db));
  const pending = all().filter((name) => !applied.has(name));
  for (const name of pending)
    inOneStep(db, partOf(name, "UP"), "INSERT INTO migrations (name) VALUES (?)", name);
  return pending;
}

/** Takes back what was applied last, and answers it. */
export function migrateDown(db: DatabaseSync): readonly string[] {
  const last = appliedTo(db).at(-1);
  if (last === undefined) return [];
  inOneStep(db, partOf(last, "DOWN"), "DELETE FROM migrations WHERE name = ?", last);
  return [last];
}

function all(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
}

function appliedTo(db: DatabaseSync): string[] {
  db.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)");
  const rows = db.prepare("SELECT name FROM migrations ORDER BY name").all();
  return rows.map(({ name }) => String(name));
}

function partOf(name: string, part: "UP" | "DOWN"): string {
  const [, up = "", down = ""] = readFileSync(new URL(name, folder), "utf8").split(/^-- (?:UP|DOWN)$/m);
  return part === "UP" ? up : down;
}

// A process that is killed in between leaves the whole of it or nothing.
function inOneStep(db: DatabaseSync, sql: string, note: string, name: string): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    db.exec(sql);
    db.prepare(note).run(name);
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
