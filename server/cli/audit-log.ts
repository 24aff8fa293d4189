import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Command } from "commander";
import type { EventType } from "latchkey";
import type { Audit, AuditFormat, AuditSearch, AuditVerification } from "latchkey/audit";
import { auditFromSettings } from "../audit-from-settings.ts";
import { CommandFailure, misuse } from "./failure.ts";
import { findUser } from "./find-user.ts";
import { type Opened, settingsFor, withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";
import { timeOf } from "./time-option.ts";

interface VerifyOptions {
  readonly anchor?: string;
  readonly publicKey?: readonly string[];
  readonly json?: true;
}

interface ExportOptions {
  readonly format: string;
  readonly output?: string;
  readonly user?: string;
  readonly type?: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

/** `latchkey audit verify | seal | export | key` */
export function auditLogCommands(audit: Command, terminal: Terminal): void {
  audit
    .command("verify")
    .description(
      "compute the whole log again: names the first row that was changed, is missing or stands elsewhere",
    )
    .option("--anchor <seq:digest>", "the end of an earlier verification, which the log has to have")
    .option("--public-key <key...>", "of secrets that were dropped, as `audit key` printed them")
    .option("--json", "for programs")
    .action((options: VerifyOptions) => verify(terminal, options));
  audit
    .command("seal")
    .description("seal what is written so far, and sign its end; a running server does it by itself")
    .option("--json", "for programs")
    .action((options: { json?: true }) => seal(terminal, options.json === true));
  audit
    .command("export")
    .description("write the log as NDJSON or CSV, newest first")
    .option("--format <format>", "ndjson or csv", "ndjson")
    .option("-o, --output <file>", "a new file that its owner alone may read; default: standard output")
    .option("--user <user>", "e-mail address, username or id")
    .option("--type <type...>", "of these events: user.logged_in …")
    .option("--from <time>", "from this instant on: 2030-01-01 or 2030-01-01T00:00:00Z")
    .option("--to <time>", "before this instant")
    .action((options: ExportOptions) => exportLog(terminal, options));
  audit
    .command("key")
    .description("print the public keys that checkpoints verify under")
    .option("--json", "for programs")
    .action((options: { json?: true }) =>
      withAudit(terminal, async (log) => {
        if (options.json === true) terminal.json({ public_keys: log.publicKeys });
        else terminal.say(...log.publicKeys);
      }),
    );
}

/** Opens the audit log that the settings describe. @throws as `withAuth` */
export async function withAudit<T>(
  terminal: Terminal,
  work: (log: Audit, opened: Opened) => Promise<T>,
): Promise<T> {
  // Only what of the settings the log is about; `withAuth` says what there is to say of them.
  const settings = await settingsFor({ ...terminal, complain: () => {} });
  const feature = auditFromSettings(settings, { sealSeconds: 0 });
  return withAuth(terminal, (opened) => work(opened.auth.use(feature), opened), { features: [feature] });
}

async function verify(terminal: Terminal, { anchor, publicKey = [], json }: VerifyOptions): Promise<void> {
  const noted = anchor === undefined ? null : anchorOf(anchor);
  const result = await withAudit(terminal, (log) =>
    terminal.during((show) =>
      log.verify({
        anchor: noted,
        publicKeys: publicKey,
        onProgress: (rows, newest) => show(progressLine(rows, newest)),
      }),
    ),
  );
  if (json === true) terminal.json(verificationJson(result));
  const { fault } = result;
  if (fault !== null) throw new CommandFailure(`The audit log is not as it was sealed: ${fault.because}.`);
  if (json === true) return;
  if (result.lastSeq === null) return terminal.say("The audit log is empty.");
  terminal.say(
    `${result.rows} rows are as they were sealed, ${result.firstSeq} to ${result.lastSeq}.`,
    result.signedSeq === null
      ? "No checkpoint is signed by a key that is known here."
      : `Signed up to ${result.signedSeq}.`,
    ...(result.unknownKeys.length === 0
      ? []
      : [`Checkpoints under keys that are not known here: ${result.unknownKeys.length}.`]),
    `To hold this log to it later: --anchor ${result.lastSeq}:${result.chainHash}`,
  );
}

const barWidth = 24;

function progressLine(rows: number, newest: number | null): string {
  const share = newest === null ? 0 : Math.min(1, rows / newest);
  const done = Math.round(share * barWidth);
  return `[${"=".repeat(done)}${" ".repeat(barWidth - done)}] ${rows} rows`;
}

function anchorOf(text: string): { readonly seq: number; readonly chainHash: string } {
  const [, seq = "", chainHash = ""] = /^(\d{1,15}):([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  if (chainHash === "")
    throw misuse("--anchor is a position, a colon and a digest, as `audit verify` prints it.");
  return { seq: Number(seq), chainHash };
}

function verificationJson(result: AuditVerification): Readonly<Record<string, unknown>> {
  const { fault, rows, firstSeq, lastSeq, chainHash, signedSeq, unknownKeys } = result;
  return {
    ok: fault === null,
    fault,
    rows,
    first_seq: firstSeq,
    last_seq: lastSeq,
    chain_hash: chainHash,
    signed_seq: signedSeq,
    unknown_keys: unknownKeys,
  };
}

async function seal(terminal: Terminal, isJson: boolean): Promise<void> {
  const { sealed, checkpoint } = await withAudit(terminal, (log) => log.seal());
  if (isJson) return terminal.json({ sealed, signed_seq: checkpoint?.seq ?? null });
  terminal.say(
    `Sealed ${sealed} rows.`,
    checkpoint === null ? "Nothing to sign." : `Signed up to ${checkpoint.seq}.`,
  );
}

async function exportLog(terminal: Terminal, options: ExportOptions): Promise<void> {
  const { format, output } = options;
  if (format !== "ndjson" && format !== "csv") throw misuse("--format is ndjson or csv.");
  const times = { from: timeOf("--from", options.from), to: timeOf("--to", options.to) };
  await withAudit(terminal, async (log, { auth }) => {
    const userId = options.user === undefined ? null : (await findUser(auth, options.user)).id;
    const types = options.type === undefined ? null : (options.type as EventType[]);
    const wanted = { format, search: { ...times, userId, types } } as const;
    if (output === undefined) await toStandardOutput(log, wanted);
    else terminal.say(`Wrote ${await toFile(log, wanted, output)} rows to ${output}.`);
  });
}

interface Wanted {
  readonly format: AuditFormat;
  readonly search: Omit<AuditSearch, "limit">;
}

async function toStandardOutput(log: Audit, wanted: Wanted): Promise<void> {
  for await (const { text } of log.export(wanted)) {
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  }
}

async function toFile(log: Audit, wanted: Wanted, path: string): Promise<number> {
  // New, so that nobody else has it open; addresses and user agents are in it.
  const file = await open(path, "wx", 0o600).catch((cause: unknown) => {
    throw new CommandFailure(
      `${path} cannot be written: ${cause instanceof Error ? cause.message : "unknown"}`,
    );
  });
  let count = 0;
  try {
    for await (const { text, rows } of log.export(wanted)) {
      await file.write(text);
      count += rows;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return count;
}
