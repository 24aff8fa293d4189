import { CommandFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Asks the person for a line; null where there is nobody. @throws CommandFailure where they gave up */
export async function askFor(terminal: Terminal, question: string): Promise<string | null> {
  if (!terminal.isInteractive) return null;
  const { isCancel, text } = await import("@clack/prompts");
  const answer = await text({ message: question });
  if (isCancel(answer)) throw new CommandFailure("Nothing was changed.");
  return answer;
}

/** Asks yes or no, with no as the answer of a hasty Enter. Only where the terminal is interactive. */
export async function confirm(question: string): Promise<boolean> {
  const prompts = await import("@clack/prompts");
  return (await prompts.confirm({ message: question, initialValue: false })) === true;
}
