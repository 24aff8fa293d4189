import { type Command, InvalidArgumentError } from "commander";
import { confirm } from "./ask.ts";
import { CommandFailure, misuse } from "./failure.ts";
import { withMigrations } from "./open.ts";
import { minute, tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey migrate up | down | status` */
export function migrateCommands(program: Command, terminal: Terminal): void {
  const migrate = program.command("migrate").description("the schema of the database");
  migrate
    .command("up")
    .description("apply what is pending; starting the server does the same")
    .argument("[to]", "stop after this number", migrationNumber)
    .action((to: number | undefined) => up(terminal, to));
  migrate
    .command("down")
    .description("take back the newest migration, with everything that its tables hold")
    .argument("[to]", "take back every migration above this number; 0 takes back all", migrationNumber)
    .option("--yes", "do not ask")
    .action((to: number | undefined, options: { yes?: true }) => down(terminal, to, options.yes === true));
  migrate
    .command("status")
    .description(
      "every migration, applied or not; exit code 1 where one is not applied as this version has it",
    )
    .option("--json", "for programs")
    .action((options: { json?: true }) => status(terminal, options.json === true));
}

async function up(terminal: Terminal, to: number | undefined): Promise<void> {
  const numbers = await withMigrations(terminal, (migrations) => migrations.up(to));
  terminal.say(numbers.length === 0 ? "Nothing was pending." : `Applied ${numbers.join(", ")}.`);
}

async function down(terminal: Terminal, to: number | undefined, isAgreed: boolean): Promise<void> {
  if (!isAgreed) {
    if (!terminal.isInteractive) throw misuse("This deletes data. Write --yes where there is nobody to ask.");
    if (!(await confirm("This deletes everything that the tables hold. Go on?"))) {
      throw new CommandFailure("Nothing was changed.");
    }
  }
  const numbers = await withMigrations(terminal, (migrations) => migrations.down(to));
  terminal.say(numbers.length === 0 ? "Nothing to take back." : `Took back ${numbers.join(", ")}.`);
}

async function status(terminal: Terminal, isJson: boolean): Promise<void> {
  const all = await withMigrations(terminal, (migrations) => migrations.status());
  if (isJson) {
    terminal.json({
      items: all.map(({ number, name, state, appliedAt }) => ({
        ...{ number, name, state },
        applied_at: appliedAt?.toISOString() ?? null,
      })),
    });
  } else {
    const rows = all.map(({ number, name, state, appliedAt }) => [
      ...[String(number), name, state],
      appliedAt === null ? "-" : minute(appliedAt),
    ]);
    terminal.say(...tableLines(["NUMBER", "NAME", "STATE", "APPLIED"], rows));
  }
  const unfit = all.filter(({ state }) => state !== "applied");
  if (unfit.length > 0) {
    throw new CommandFailure(
      `Not as this version has them: ${unfit.map(({ number, state }) => `${number} (${state})`).join(", ")}.`,
    );
  }
}

function migrationNumber(typed: string): number {
  if (!/^\d{1,6}$/.test(typed)) throw new InvalidArgumentError("Write a whole number.");
  return Number(typed);
}
