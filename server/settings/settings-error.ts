/** What is wrong with one setting, ready to print. None of the fields ever holds the value of a secret. */
export interface SettingsProblem {
  /** The name that was used: an alias where an alias was given. */
  readonly setting: string;
  /** What was found; of a secret its length and nothing else. */
  readonly found: string;
  readonly problem: string;
  /** What to do about it, as a whole sentence. */
  readonly fix: string;
}

/**
 * The settings cannot be started with. `problems` has all of them at once; `message` is the same as text, one line
 * for each, meant for the terminal as it is.
 */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    super(["These settings refuse to start:", ...problems.map(line)].join("\n"));
    this.problems = problems;
  }
}

/**
 * A found value as it may be printed: quoted, at most 80 characters, without a user name and password of a URL.
 * Quoting keeps control characters of a hostile environment off the terminal.
 */
export function printable(text: string): string {
  const bare = text.replace(/\/\/[^/]*@/g, "//");
  return JSON.stringify(bare.length > 80 ? `${bare.slice(0, 80)}...` : bare);
}

/** A list can have thousands of entries, and a name any length. */
const mostCharacters = 400;

/** A problem whose texts fit on a terminal, however long what was written is. */
export function brief({ setting, found, problem, fix }: SettingsProblem): SettingsProblem {
  return { setting, found: cut(found), problem: cut(problem), fix: cut(fix) };
}

function cut(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}...` : text;
}

function line({ setting, found, problem, fix }: SettingsProblem): string {
  return `- ${setting}: ${problem} (found ${found}). ${fix}`;
}
