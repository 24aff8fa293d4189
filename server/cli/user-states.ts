import type { Command } from "commander";
import type { User } from "latchkey";
import type { AdministrationCalls } from "latchkey/administration";
import { confirm } from "./ask.ts";
import { CommandFailure, misuse } from "./failure.ts";
import { findUser, userJson } from "./find-user.ts";
import { withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";

/** What is done with an account, and how it is told. */
interface State {
  readonly name: string;
  readonly description: string;
  /** What is asked before; absent: nothing is. */
  readonly question?: (user: User) => string;
  readonly work: (operator: AdministrationCalls, userId: string) => Promise<User>;
  readonly done: (user: User) => string;
}

interface StateOptions {
  readonly yes?: true;
  readonly json?: true;
}

const states: readonly State[] = [
  {
    name: "disable",
    description: "bar somebody from their account at once; every session ends",
    work: (operator, userId) => operator.disable(userId),
    done: ({ username }) => `${username} is disabled.`,
  },
  {
    name: "restore",
    description: "give a disabled or deleted account back",
    work: (operator, userId) => operator.restore(userId),
    done: ({ username }) => `${username} is active again.`,
  },
  {
    name: "delete",
    description: "delete an account; within 30 days it can be restored, then it is anonymised",
    question: ({ username }) => `Delete ${username}? It can be restored within 30 days.`,
    work: (operator, userId) => operator.delete(userId),
    done: ({ username }) => `${username} is deleted, and will be anonymised after 30 days.`,
  },
  {
    name: "anonymize",
    description: "remove everything personal of an account, for good",
    question: ({ username }) => `Remove everything personal of ${username}? Nobody can bring it back.`,
    work: (operator, userId) => operator.anonymize(userId),
    done: ({ id }) => `The account ${id} is anonymised.`,
  },
  {
    name: "require-password-change",
    description: "let somebody do nothing else before they have chosen another password",
    work: (operator, userId) => operator.change(userId, { mustChangePassword: true }),
    done: ({ username }) => `${username} has to choose another password.`,
  },
];

/** `latchkey user disable | restore | delete | anonymize | require-password-change` */
export function userStateCommands(user: Command, terminal: Terminal): void {
  for (const state of states) {
    const command = user
      .command(state.name)
      .description(state.description)
      .argument("<user>", "e-mail address, username or id");
    if (state.question !== undefined) command.option("--yes", "do not ask");
    command
      .option("--json", "for programs")
      .action((typed: string, options: StateOptions) => change(terminal, state, typed, options));
  }
}

async function change(
  terminal: Terminal,
  { question, work, done }: State,
  typed: string,
  { yes, json }: StateOptions,
): Promise<void> {
  if (question !== undefined && yes !== true && !terminal.isInteractive)
    throw misuse("--yes is needed where there is nobody to ask.");
  await withAuth(terminal, async ({ auth, administration }) => {
    const user = await findUser(auth, typed);
    if (question !== undefined && yes !== true && !(await confirm(question(user))))
      throw new CommandFailure("Nothing was changed.");
    const changed = await work(administration.operator, user.id);
    if (json === true) return terminal.json({ user: userJson(changed) });
    terminal.say(done(changed));
  });
}
