import { CommanderError } from "commander";

/** Why a command did not do what it was asked to; `message` is for the person. Exit code 1. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}

/** A command that was not written as it has to be. Exit code 2. */
export function misuse(message: string): CommanderError {
  return new CommanderError(2, "latchkey.misuse", message);
}
