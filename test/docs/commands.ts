/** A command of a block, as a shell reads it. */
export interface Command {
  /** Of its first line, from 1, in its document. */
  readonly line: number;
  readonly text: string;
  /** Said in the comment at its end: the status of its last answer, where it is no good one. */
  readonly status: number | null;
  /** Said in the comment at its end: `# → words`. */
  readonly words: string | null;
}

/** The commands of a shell block: lines, with those that a backslash, an open quotation mark or a here-document goes on in. */
export function commandsOf(text: string, firstLine: number): readonly Command[] {
  const commands: Command[] = [];
  let lines: string[] = [];
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    if (lines.length === 0 && /^\s*(#|$)/.test(line)) continue;
    lines.push(line);
    const whole = lines.join("\n");
    if (goesOn(whole)) continue;
    commands.push({ line: firstLine + index - lines.length + 1, text: whole, ...said(whole) });
    lines = [];
  }
  if (lines.length > 0) throw new Error(`line ${firstLine}: this command does not end: ${lines[0]}`);
  return commands;
}

function goesOn(text: string): boolean {
  // What stands in a here-document is no quotation.
  const [, before = text, , word] = /^(.*?<<-?\s*(["']?)(\w+)\2[^\n]*)/s.exec(text) ?? [];
  if (scan(before).isOpen) return true;
  return word === undefined ? text.endsWith("\\") : !new RegExp(`\n${word}$`).test(text);
}

/** Whether a quotation mark is open at the end, and where a comment begins. */
function scan(text: string): { readonly isOpen: boolean; readonly comment: number | null } {
  let quote: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\\" && quote !== "'") at++;
    else if (quote !== null) quote = letter === quote ? null : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "#" && /(^|\s)$/.test(text.slice(0, at)) && !text.slice(at).includes("\n"))
      return { isOpen: false, comment: at };
  }
  return { isOpen: quote !== null, comment: null };
}

function said(text: string): Pick<Command, "status" | "words"> {
  const { comment } = scan(text);
  const remark = comment === null ? "" : text.slice(comment + 1).trim();
  const status = /^(\d{3})\b/.exec(remark)?.[1];
  return {
    status: status === undefined ? null : Number(status),
    words: /^→ (.+)$/.exec(remark)?.[1]?.trim() ?? null,
  };
}
