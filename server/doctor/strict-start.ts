import type { Log } from "latchkey";
import type { Settings } from "../settings/settings.ts";
import { answeringChecks } from "./answering-checks.ts";
import type { Check } from "./check.ts";
import { databaseChecks } from "./database-checks.ts";
import { databaseFacts } from "./database-facts.ts";
import { examine } from "./examine.ts";
import type { Facts } from "./facts.ts";
import { machineChecks } from "./machine-checks.ts";
import { machineFacts } from "./machine-facts.ts";
import { sessionChecks } from "./session-checks.ts";
import { sessionFacts } from "./session-facts.ts";

/** A start in strict mode was refused; `message` is for the terminal, one line for each finding. */
export class StrictRefusal extends Error {
  override readonly name = "StrictRefusal";
}

/** What is mended once a server runs, by itself or by an operator. */
const mendedByRunning: readonly string[] = [
  "sweep-works",
  "mail-flows",
  "audit-sealed",
  "audit-followers-known",
  "superuser-there",
];

/**
 * In strict mode makes the checks of the machine, the database and the server of the sessions; those of the settings were made when
 * they were read. Else does nothing.
 *
 * @throws StrictRefusal - naming every error and warning with its fix
 */
export async function assertStrictly(settings: Settings, log: Log): Promise<void> {
  if (!settings.isStrict) return;
  const asked: Check[] = [...machineChecks, ...answeringChecks, ...databaseChecks, ...sessionChecks].filter(
    ({ id, severity }) => severity !== "note" && id !== "server-answers" && !mendedByRunning.includes(id),
  );
  const facts = await factsAtStart(settings, log);
  const lines = examine(facts, asked).flatMap(({ check: { id, title }, outcome }) =>
    outcome.kind === "found" ? [`- ${id}: ${title}, but: ${outcome.found}. ${outcome.fix}`] : [],
  );
  if (lines.length === 0) return;
  throw new StrictRefusal(["PRODUCTION_SECURITY_STRICT_MODE refuses to start:", ...lines].join("\n"));
}

type FactsAtStart = Pick<Facts, "settings" | "machine" | "database" | "sessions">;

async function factsAtStart(settings: Settings, log: Log): Promise<Facts> {
  const [machine, database, sessions] = await Promise.all([
    machineFacts(settings),
    databaseFacts(settings, log),
    sessionFacts(settings, log),
  ]);
  const known: FactsAtStart = { settings, machine: { state: "known", value: machine }, database, sessions };
  // None of the checks above looks at the rest.
  return known as Facts;
}
