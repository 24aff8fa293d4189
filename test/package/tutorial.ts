/** A block of a tutorial: a file to write, commands to run, or what the commands before it print. */
export interface Step {
  readonly kind: "file" | "commands" | "output";
  /** Of a file. */
  readonly name: string;
  readonly text: string;
  /** Where it begins in the page, from 1. */
  readonly line: number;
}

/** The blocks of a page, in order. @throws Error for a block that is none of the three */
export function stepsOf(markdown: string): readonly Step[] {
  return [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map((match) => {
    const [, language = "", name = "", text = ""] = match;
    const line = markdown.slice(0, match.index).split("\n").length;
    return { kind: kindOf(language, name, line), name, text, line };
  });
}

function kindOf(language: string, name: string, line: number): Step["kind"] {
  if (language === "ts" && /^[\w.-]+\.ts$/.test(name)) return "file";
  if (language === "console") return "commands";
  if (language === "text") return "output";
  throw new Error(`line ${line}: neither a named file nor commands: ${language}`);
}

/**
 * One script for bash that does what the page says, in one shell, as a reader would: files are written in the folder that the
 * commands have led to. Before each block of commands a line says where it begins.
 */
export function scriptOf(steps: readonly Step[]): string {
  const parts = steps.flatMap(({ kind, name, text, line }) => {
    if (kind === "file") return [`cat > ${name} <<'END OF FILE'\n${text}END OF FILE`];
    return kind === "commands" ? [`echo '== line ${line}'\n${text}`] : [];
  });
  return parts.join("\n");
}

/** What each block of commands printed, by its line. */
export function outputsOf(printed: string): ReadonlyMap<number, string> {
  const parts = printed.split(/^== line (\d+)\n/m).slice(1);
  return new Map(
    Array.from({ length: parts.length / 2 }, (_, at) => [Number(parts[2 * at]), parts[2 * at + 1] ?? ""]),
  );
}
