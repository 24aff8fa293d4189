import type { Command } from "commander";
import type { Imported, ImportNote, Transfer } from "latchkey/transfer";
import type { Settings } from "../settings/settings.ts";
import { CommandFailure, misuse } from "./failure.ts";
import {
  exportedItems,
  type FileFormat,
  fileFormats,
  foreignItems,
  formatOf,
  recordsOf,
} from "./import/items.ts";
import { openReport, type Report } from "./import/report.ts";
import type { FirebaseProject } from "./import/source.ts";
import { type SourceName, sourceNames, sourceOf } from "./import/sources.ts";
import { openText, type TextFile } from "./import/text-chunks.ts";
import { withTransfer } from "./open-transfer.ts";
import type { Terminal } from "./terminal.ts";

interface ImportCommand {
  readonly from: string;
  readonly format?: string;
  readonly dryRun?: true;
  readonly onConflict: string;
  readonly report?: string;
  readonly batch: string;
  readonly allowRoles?: true;
  readonly allowSuperuser?: true;
  readonly firebaseSaltSeparator: string;
  readonly firebaseRounds: string;
  readonly firebaseMemCost: string;
  readonly json?: true;
}

/** `latchkey import` */
export function importCommand(program: Command, terminal: Terminal): void {
  program
    .command("import")
    .description("bring accounts in with their password hashes; may be stopped at any time and run again")
    .argument("<file>", "as docs/import.md says for each product; .gz is unpacked")
    .requiredOption("--from <product>", sourceNames.join(", "))
    .option("--format <format>", `${fileFormats.join(", ")}; default: by the file's name`)
    .option("--dry-run", "write nothing; say what would become of each row")
    .option("--report <file>", "write every row that is not imported, or not whole, there, with the reason")
    .option("--on-conflict <what>", "skip the row, or fail: stop before it", "skip")
    .option(
      "--batch <number>",
      "accounts of one transaction, 1 to 1000; fewer where the database is far away",
      "100",
    )
    .option("--allow-roles", "take roles, permissions and plans from the file")
    .option("--allow-superuser", "take the superuser flag from the file")
    .option("--firebase-salt-separator <base64>", "base64_salt_separator of the Firebase project", "Bw==")
    .option("--firebase-rounds <number>", "rounds of the Firebase project", "8")
    .option("--firebase-mem-cost <number>", "mem_cost of the Firebase project", "14")
    .option("--json", "for programs")
    .action((path: string, options: ImportCommand) => bringIn(terminal, path, options));
}

async function bringIn(terminal: Terminal, path: string, options: ImportCommand): Promise<void> {
  const from = oneOf("--from", options.from, sourceNames);
  const format =
    options.format === undefined ? formatFor(from, path) : oneOf("--format", options.format, fileFormats);
  const onConflict = oneOf("--on-conflict", options.onConflict, ["skip", "fail"] as const);
  const batchSize = Number(options.batch);
  if (!/^\d{1,4}$/.test(options.batch) || batchSize < 1 || batchSize > 1000)
    throw misuse("--batch is a whole number from 1 to 1000.");
  const file = await openText(path);
  try {
    await withTransfer(terminal, async ({ transfer, settings }) => {
      const firebase = from === "firebase" ? firebaseProject(settings, options) : null;
      const report = await openReport(options.report ?? null);
      try {
        const items = await itemsOf({ terminal, file, from, format, transfer, firebase });
        const imported = await terminal.during((show) =>
          transfer.importUsers(items, {
            ...{ source: from, onConflict, onNote: report.add },
            batchSize,
            isDryRun: options.dryRun === true,
            allowsRoles: options.allowRoles === true,
            allowsSuperuser: options.allowSuperuser === true,
            onProgress: ({ imported, present, refused }) =>
              show(progressLine(file, imported + present + refused)),
          }),
        );
        tell(terminal, imported, report, options);
      } finally {
        await report.close();
      }
    });
  } finally {
    await file.close();
  }
}

interface Parts {
  readonly terminal: Terminal;
  readonly file: TextFile;
  readonly from: SourceName;
  readonly format: FileFormat;
  readonly transfer: Transfer;
  readonly firebase: FirebaseProject | null;
}

async function itemsOf({ terminal, file, from, format, transfer, firebase }: Parts) {
  const source = await sourceOf(from);
  const records = recordsOf(file.chunks, format, source?.columns ?? null);
  return source === null
    ? exportedItems(records, transfer.readExport, (line) => terminal.complain(`Warning: ${line}`))
    : foreignItems(records, source, { now: new Date(), firebase });
}

// `latchkey export` writes lines, whatever the file is called.
function formatFor(from: SourceName, path: string): FileFormat {
  return from === "latchkey" ? "ndjson" : formatOf(path);
}

function firebaseProject(
  { firebaseSignerKey: signerKey }: Settings,
  options: ImportCommand,
): FirebaseProject {
  if (signerKey === null) {
    throw new CommandFailure(
      "Set FIREBASE_SIGNER_KEY to the base64_signer_key of the project's password hash parameters: without it nobody could sign in.",
    );
  }
  const [rounds, memCost] = [Number(options.firebaseRounds), Number(options.firebaseMemCost)];
  if (!Number.isInteger(rounds) || !Number.isInteger(memCost))
    throw misuse("--firebase-rounds and --firebase-mem-cost are whole numbers.");
  return { signerKey, saltSeparator: options.firebaseSaltSeparator, rounds, memCost };
}

function oneOf<T extends string>(option: string, typed: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === typed);
  if (found === undefined) throw misuse(`${option} is one of ${choices.join(", ")}.`);
  return found;
}

function tell(terminal: Terminal, imported: Imported, report: Report, options: ImportCommand): void {
  const { stoppedAt, ...counts } = imported;
  if (options.json === true) terminal.json(resultJson(imported, report, options));
  else {
    const would = options.dryRun === true ? "Would import" : "Imported";
    terminal.say(
      `${would} ${accounts(counts.imported)}; ${counts.present} were there already, ${counts.refused} cannot be imported.`,
    );
    if (counts.withoutPassword > 0)
      terminal.say(
        `${counts.withoutPassword} of them have no password, and need a link or an account at a provider.`,
      );
    for (const [reason, count] of report.counts) terminal.say(`  ${reason}: ${count}`);
    if (report.counts.size > 0 && options.report === undefined)
      terminal.say("--report <file> says which rows these are.");
  }
  if (stoppedAt !== null)
    throw new CommandFailure(`Stopped before row ${stoppedAt.row}: ${describe(stoppedAt)}.`);
}

function resultJson({ stoppedAt, ...counts }: Imported, report: Report, { dryRun }: ImportCommand) {
  return {
    dry_run: dryRun === true,
    imported: counts.imported,
    present: counts.present,
    refused: counts.refused,
    without_password: counts.withoutPassword,
    reasons: Object.fromEntries(report.counts),
    stopped_at: stoppedAt === null ? null : stoppedAt.row,
  };
}

function describe({ reason, detail }: ImportNote): string {
  return detail === null ? reason : `${reason} (${detail})`;
}

function accounts(count: number): string {
  return count === 1 ? "1 account" : `${count} accounts`;
}

const barWidth = 24;

/** How far a file has been read, and how many rows that were. */
export function progressLine({ position, size }: Pick<TextFile, "position" | "size">, rows: number): string {
  const part = size === 0 ? 1 : Math.min(1, position() / size);
  const bar = "=".repeat(Math.round(part * barWidth)).padEnd(barWidth);
  return `[${bar}] ${Math.floor(part * 100)} %, ${rows} rows`;
}
