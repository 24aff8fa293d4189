/** One record of a file, and where it begins: the line, or its number in a list. Counts from 1. */
export type FileRecord = { readonly row: number } & (
  | { readonly fields: unknown }
  /** Why it could not be read, without a piece of it. */
  | { readonly unreadable: string }
);

/** Longest record, in characters: far more than an account takes, and what one that never ends may use of the memory. */
export const longestRecord = 1_048_576;

const tooLong = `longer than ${longestRecord} characters`;

/** Lines of JSON, one record each; blank ones are passed over. */
export async function* lineRecords(chunks: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let [row, rest, isSkipping] = [1, "", false];
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const record = isSkipping ? null : lineRecord(row, line);
      isSkipping = false;
      row += 1;
      if (record !== null) yield record;
    }
    if (rest.length > longestRecord) {
      if (!isSkipping) yield { row, unreadable: tooLong };
      [rest, isSkipping] = ["", true];
    }
  }
  const last = isSkipping ? null : lineRecord(row, rest);
  if (last !== null) yield last;
}

function lineRecord(row: number, line: string): FileRecord | null {
  return line.trim() === "" ? null : parsed(row, line);
}

/**
 * The elements of a JSON list: of the document itself, or of the first list in it, as in `{ "users": [ … ] }`. Read as they come,
 * so that a file may be larger than the memory.
 */
export async function* listRecords(chunks: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let [row, depth, listDepth] = [1, 0, 0];
  let [isString, isEscaped, isTooLong] = [false, false, false];
  let element = "";
  const end = (): FileRecord | null => {
    const [text, wasTooLong] = [element, isTooLong];
    [element, isTooLong] = ["", false];
    if (wasTooLong) return { row: row++, unreadable: tooLong };
    return text.trim() === "" ? null : parsed(row++, text);
  };
  for await (const chunk of chunks) {
    for (const letter of chunk) {
      const wasIn = listDepth > 0;
      if (isString) {
        if (isEscaped) isEscaped = false;
        else if (letter === "\\") isEscaped = true;
        else if (letter === '"') isString = false;
      } else if (letter === '"') isString = true;
      else if (letter === "[" || letter === "{") {
        depth += 1;
        if (letter === "[" && listDepth === 0) listDepth = depth;
      } else if (letter === "]" || letter === "}") {
        depth -= 1;
        if (wasIn && depth < listDepth) {
          const last = end();
          if (last !== null) yield last;
          return;
        }
      } else if (letter === "," && wasIn && depth === listDepth) {
        const record = end();
        if (record !== null) yield record;
        continue;
      }
      if (!wasIn) continue;
      if (element.length < longestRecord) element += letter;
      else isTooLong = true;
    }
  }
  yield {
    row,
    unreadable: listDepth === 0 ? "the file holds no list" : "the file ends before its list does",
  };
}

function parsed(row: number, text: string): FileRecord {
  if (text.length > longestRecord) return { row, unreadable: tooLong };
  // What the decoder puts in the place of bytes that are no UTF-8.
  if (text.includes("\uFFFD")) return { row, unreadable: "not UTF-8" };
  try {
    return { row, fields: JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text) };
  } catch {
    return { row, unreadable: "not JSON" };
  }
}
