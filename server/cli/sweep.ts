import type { Command } from "commander";
import { withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey sweep` */
export function sweepCommand(program: Command, terminal: Terminal): void {
  program
    .command("sweep")
    .description("delete what has expired; a running server does it by itself")
    .option("--json", "for programs")
    .action(async (options: { json?: true }) => {
      const count = await withAuth(terminal, ({ auth }) =>
        terminal.during((show) => auth.sessions.sweep({ onProgress: (soFar) => show(progressLine(soFar)) })),
      );
      if (options.json === true) terminal.json({ count });
      else terminal.say(`Cleaned up ${count} expired sessions`);
    });
}

const barWidth = 24;
const blockWidth = 6;
/** Sessions of one batch: with each of them the block moves on by one. */
const batch = 200;

/** A bar for work whose size nobody knows: a block that goes from end to end and back, and how much is done. */
export function progressLine(count: number): string {
  const room = barWidth - blockWidth;
  const step = Math.floor(count / batch) % (2 * room);
  const before = step <= room ? step : 2 * room - step;
  const bar = `${" ".repeat(before)}${"=".repeat(blockWidth)}`.padEnd(barWidth);
  return `[${bar}] ${count} expired sessions so far`;
}
