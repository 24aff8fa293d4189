import { isNamedByAddress, webhookFollowers } from "../audit-from-settings.ts";
import { type Check, checksOf, found, type Outcome, ok, skipped, unknown } from "./check.ts";
import type { ContentFacts, Facts } from "./facts.ts";

const hour = 3_600_000;

/** Clocks that differ by more make codes and sessions end at another time than they say. */
export const mostSkewMs = 2_000;
/** Connections of one process of the server. */
const poolSize = 10;

/** Checks of the database. */
export const databaseChecks: readonly Check[] = checksOf("database", [
  {
    id: "database-version",
    title: "The database is a version that gets repairs",
    severity: "warning",
    check: ({ version, isVersionOld }) =>
      isVersionOld ? found(version, "Move to a newer version of it.") : ok,
  },
  {
    id: "schema-current",
    title: "The schema is this version's, whole",
    severity: "error",
    check: ({ schemaProblem }) =>
      schemaProblem === null
        ? ok
        : found(
            inOneLine(schemaProblem),
            schemaProblem.startsWith("migrations are pending")
              ? "Run `latchkey migrate up`."
              : "Do as it says there: `latchkey migrate up` applies what is pending, and nothing is.",
          ),
  },
  {
    id: "indexes-there",
    title: "No index is missing",
    severity: "error",
    check: ({ missingIndexes }) =>
      missingIndexes.length === 0
        ? ok
        : found(
            missingIndexes.join(", "),
            "Make them again as the migrations do: without them each look-up reads the whole table.",
          ),
  },
  {
    id: "database-clock",
    title: "The database's clock is this machine's",
    severity: "warning",
    check: ({ clockSkewMs }) => (clockSkewMs === null ? skipped("they are one") : sameClock(clockSkewMs)),
  },
  {
    id: "database-durable",
    title: "What the database has confirmed outlives a crash",
    severity: "error",
    scope: "production",
    check: ({ undurable }) =>
      undurable.length === 0
        ? ok
        : found(undurable.join(", "), "Set them back: a revoked session would come back after a power cut."),
  },
  {
    id: "database-writable",
    title: "The database takes writes",
    severity: "error",
    check: ({ isReadOnly }) =>
      isReadOnly ? found("it is read-only, a replica perhaps", "Point DATABASE_URL at the primary.") : ok,
  },
  {
    id: "database-account",
    title: "Latchkey's account may do its work there and no more",
    severity: "warning",
    scope: "production",
    check: ({ isPrivileged }) => {
      if (isPrivileged === null) return skipped("there are no accounts");
      return isPrivileged
        ? found("an administrator of the whole server", "Make an account that owns this database alone.")
        : ok;
    },
  },
  {
    id: "database-link-encrypted",
    title: "The connection to the database is encrypted",
    severity: "warning",
    scope: "production",
    check: ({ isEncrypted }) => {
      if (isEncrypted === null) return skipped("it does not leave the machine");
      return isEncrypted
        ? ok
        : found("plain text", "Ask for TLS in DATABASE_URL, and let the server insist on it.");
    },
  },
  {
    id: "database-sound",
    title: "The database's file is sound",
    severity: "error",
    check: ({ damage }) =>
      damage === null
        ? ok
        : found(
            damage,
            "Stop the server and restore a backup; `sqlite3 <file> .recover` saves what can be saved.",
          ),
  },
  {
    id: "database-connections",
    title: "The database has connections for several servers",
    severity: "warning",
    check: ({ maxConnections }) => {
      if (maxConnections === null) return skipped("there is nothing to run out of");
      return maxConnections >= 3 * poolSize
        ? ok
        : found(`${maxConnections} at most`, `Allow ${3 * poolSize}: each server takes up to ${poolSize}.`);
    },
  },
  {
    id: "superuser-there",
    title: "Somebody is a superuser",
    severity: "warning",
    scope: "production",
    check: ofContent(({ hasSuperuser }) =>
      hasSuperuser ? ok : found("nobody", "Run `latchkey user create --superuser`."),
    ),
  },
  {
    id: "sweep-works",
    title: "What has expired is removed",
    severity: "warning",
    check: ofContent(({ oldestEndedSession }, { settings, machine }) => {
      const limitMs = 2 * settings.sessionCleanupIntervalSeconds * 1_000 + 24 * hour;
      return isOlder(oldestEndedSession, limitMs, machine)
        ? found(
            `a session that ended on ${oldestEndedSession?.toISOString()} is still there`,
            "Keep a server running, or run `latchkey sweep` every day.",
          )
        : ok;
    }),
  },
  {
    id: "mail-flows",
    title: "Mail does not pile up",
    severity: "warning",
    check: ofContent(({ oldestStuckMail }, { machine }) =>
      isOlder(oldestStuckMail, hour, machine)
        ? found(
            `a mail of ${oldestStuckMail?.toISOString()} was tried and is still there`,
            "Look for `mail` in the server's log: SMTP_URL may be wrong, or the mail server refuses.",
          )
        : ok,
    ),
  },
  {
    id: "audit-sealed",
    title: "The audit log is sealed",
    severity: "warning",
    check: ofContent(({ oldestUnsealedRow }, { machine }) =>
      isOlder(oldestUnsealedRow, hour, machine)
        ? found(
            `a row of ${oldestUnsealedRow?.toISOString()} has no place in the chain`,
            "Keep a server running, or run `latchkey audit seal`.",
          )
        : ok,
    ),
  },
  {
    id: "audit-followers-known",
    title: "The audit log waits for nobody who is gone",
    severity: "warning",
    check: ofContent(({ followers }, { settings }) => {
      if (settings.auditRetentionSeconds === null) return skipped("rows are kept for ever");
      const known = webhookFollowers(settings);
      const gone = followers.filter((name) => isNamedByAddress(name) && !known.has(name));
      return gone.length === 0
        ? ok
        : found(
            `rows are kept for what is not in WEBHOOKS any more: ${gone.join(", ")}`,
            `Run ${gone.map((name) => `\`latchkey audit forget ${name}\``).join(" and ")}, or put the address back into WEBHOOKS.`,
          );
    }),
  },
]);

function inOneLine(problem: string): string {
  return problem.replaceAll(":\n- ", ": ").replaceAll("\n- ", "; ").replaceAll("\n", ". ");
}

/** A finding where a clock is too far from this machine's. */
export function sameClock(skewMs: number): Outcome {
  return Math.abs(skewMs) <= mostSkewMs
    ? ok
    : found(
        `${Math.abs(skewMs / 1_000).toFixed(1)} s ${skewMs > 0 ? "ahead" : "behind"}`,
        "Keep both machines' clocks by NTP.",
      );
}

function ofContent(check: (content: ContentFacts, facts: Facts) => Outcome) {
  return ({ content }: { readonly content: ContentFacts | null }, facts: Facts) =>
    content === null ? unknown("the schema does not fit") : check(content, facts);
}

function isOlder(instant: Date | null, limitMs: number, machine: Facts["machine"]): boolean {
  if (instant === null || machine.state !== "known") return false;
  return machine.value.now.getTime() - instant.getTime() > limitMs;
}
