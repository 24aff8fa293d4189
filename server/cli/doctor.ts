import type { Command } from "commander";
import type { Outcome } from "../doctor/check.ts";
import type { Examined } from "../doctor/examine.ts";
import { readEnvironment } from "../settings/load-settings.ts";
import { misuse } from "./failure.ts";
import { tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface DoctorOptions {
  readonly url?: string;
  readonly production?: true;
  readonly strict?: true;
  readonly all?: true;
  readonly json?: true;
}

/** `latchkey doctor` */
export function doctorCommand(
  program: Command,
  terminal: Terminal,
  setExitCode: (code: number) => void,
): void {
  program
    .command("doctor")
    .description(
      "check the settings, this machine, the database and the running server; exit code 1 on errors",
    )
    .option("--url <address>", "where the server is reached; default: its origin, then this machine")
    .option("--production", "as if this were production")
    .option("--strict", "exit code 1 on warnings, too")
    .option("--all", "show what is fine as well")
    .option("--json", "for programs")
    .action(async (options: DoctorOptions) => setExitCode(await doctor(terminal, options)));
}

async function doctor(terminal: Terminal, options: DoctorOptions): Promise<number> {
  const { url = null, production = false, strict = false, json = false, all = false } = options;
  if (url !== null && !/^https?:\/\/[^\s/?#]+\/?$/i.test(url))
    throw misuse("--url is scheme, host and port.");
  // Loaded here: the other commands need none of it.
  const [{ gather }, { examine, tally }] = await Promise.all([
    import("../doctor/gather.ts"),
    import("../doctor/examine.ts"),
  ]);
  const { variables, cut } = await readEnvironment(terminal.environment);
  // A start is as silent as this about drivers that do not reach what they are for: the finding says so.
  const log = { error: () => {}, warn: () => {} };
  const given = production ? { ...variables, ENVIRONMENT: "production" } : variables;
  const facts = await terminal.during((show) => {
    show("Looking around…");
    return gather(given, { url, log, cut });
  });
  const examined = examine(facts);
  const counts = tally(examined);
  const isBad = counts.errors > 0 || ((strict || facts.settings.isStrict) && counts.warnings > 0);
  if (json) {
    terminal.json({ items: examined.map(itemJson), counts });
  } else {
    terminal.say(...lines(examined, all));
    terminal.say(
      `${examined.length} checks: ${counted(counts.errors, "error")}, ${counted(counts.warnings, "warning")}, ${counted(counts.notes, "note")}; ` +
        `${counts.fine} fine, ${counts.unknown} could not be told, ${counts.skipped} are no question here.`,
    );
    if (!facts.settings.isProduction)
      terminal.say("The origin is loopback. With --production the checks of a public server are made, too.");
  }
  return isBad ? 1 : 0;
}

function lines(examined: readonly Examined[], isWhole: boolean): readonly string[] {
  const shown = examined.filter(({ outcome: { kind } }) => isWhole || kind === "found");
  const rows = shown.map(({ check, outcome }) => [stateOf({ check, outcome }), check.id, check.title]);
  const findings = examined.flatMap(({ check, outcome }) =>
    outcome.kind === "found"
      ? [`${stateOf({ check, outcome })} ${check.id}: ${sentence(outcome.found)}`, `  ${outcome.fix}`]
      : [],
  );
  return [
    ...(rows.length > 0 ? [...tableLines(["STATE", "CHECK", "WHAT SHOULD HOLD"], rows), ""] : []),
    ...findings,
    ...untold(examined),
    ...(findings.length > 0 ? [""] : []),
  ];
}

/** What could not be told, in one line for each reason. */
function untold(examined: readonly Examined[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { check, outcome } of examined) {
    if (outcome.kind !== "unknown") continue;
    byReason.set(outcome.why, [...(byReason.get(outcome.why) ?? []), check.id]);
  }
  return [...byReason].map(([why, ids]) => `unknown, since ${why}: ${ids.join(", ")}`);
}

function stateOf({ check, outcome }: Examined): string {
  return outcome.kind === "found" ? check.severity : outcome.kind;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function itemJson({ check, outcome }: Examined): Readonly<Record<string, unknown>> {
  const { id, title, severity, needs, scope } = check;
  return { id, title, severity, needs, scope, state: outcome.kind, ...details(outcome) };
}

function details(outcome: Outcome): Readonly<Record<string, string>> {
  if (outcome.kind === "found") return { found: outcome.found, fix: outcome.fix };
  return outcome.kind === "ok" ? {} : { why: outcome.why };
}
