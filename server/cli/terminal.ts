/** What a command is given to read from and write to. */
export interface Terminal {
  /** The variables that settings are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Lines for people, on standard output. */
  say(...lines: readonly string[]): void;
  /** One JSON document for programs, on standard output. */
  json(value: unknown): void;
  /** Lines on standard error. */
  complain(...lines: readonly string[]): void;
  /** Everything on standard input, as UTF-8. */
  readAll(): Promise<string>;
  /**
   * Shows a line that changes while something goes on, where standard output is a terminal; elsewhere nothing is written. It is wiped
   * when the work has ended, however it ended.
   */
  during<T>(work: (show: (line: string) => void) => Promise<T>): Promise<T>;
  /** Whether there is a person to ask. */
  readonly isInteractive: boolean;
}

/**
 * The terminal of this process. Whatever is printed is cleaned here, in one place: user agents and names are written by
 * strangers, and an escape sequence in one could rewrite the screen or what is pasted from it.
 */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  // `latchkey session list ann | head -1`
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  return {
    environment: process.env,
    say: (...lines) => void stdout.write(lines.map((line) => `${clean(line)}\n`).join("")),
    json: (value) => void stdout.write(`${plainJson(value)}\n`),
    complain: (...lines) => void stderr.write(lines.map((line) => `${clean(line)}\n`).join("")),
    async readAll() {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks).toString("utf8");
    },
    async during(work) {
      if (stdout.isTTY !== true) return work(() => {});
      try {
        return await work((line) => void stdout.write(`\r\u001b[2K${clean(line)}`));
      } finally {
        stdout.write("\r\u001b[2K");
      }
    },
    isInteractive: stdin.isTTY === true && stdout.isTTY === true,
  };
}

// Controls, and marks that turn the direction of writing: "exe.txt" that reads "txt.exe". Joiners belong to scripts and emoji.
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A line without what would move the cursor or change the order of letters. */
export function clean(line: string): string {
  return line.replace(unprintable, "\uFFFD");
}

/** JSON in which such characters are escaped: it reads back as the same value, and a terminal shows it harmlessly. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(unprintable, (character) => {
    if (character === "\n") return character;
    const units = [...Array(character.length).keys()].map((index) => character.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}
