/** What a line of curl sends. */
export interface CurlRequest {
  readonly method: string;
  /** Path and query of its address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Reads a line of curl as a shell would, as far as documents write them: quotes, `\` at the end of a line, and the options
 * `-X -H -d -b -s -i` with their long names.
 *
 * @throws Error for anything else, so that nothing of a line is left out in silence
 */
export function parseCurl(line: string): CurlRequest {
  const [program, ...words] = shellWords(line);
  if (program !== "curl") throw new Error(`not a line of curl: ${line}`);
  let method: string | null = null;
  let address: URL | null = null;
  let body: string | null = null;
  const headers: Record<string, string> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (["-s", "--silent", "-i", "--include"].includes(word)) continue;
    if (!word.startsWith("-")) {
      if (address !== null) throw new Error(`two addresses: ${line}`);
      address = new URL(/^https?:\/\//.test(word) ? word : `http://${word}`);
      continue;
    }
    const value = words[++at];
    if (value === undefined) throw new Error(`${word} has no value: ${line}`);
    if (word === "-X" || word === "--request") method = value;
    else if (word === "-H" || word === "--header") put(headers, value);
    else if (word === "-b" || word === "--cookie") headers.cookie = value;
    else if (word === "-d" || word === "--data") body = body === null ? value : `${body}&${value}`;
    else throw new Error(`${word} is not known: ${line}`);
  }
  if (address === null) throw new Error(`no address: ${line}`);
  if (body !== null) headers["content-type"] ??= "application/x-www-form-urlencoded";
  return {
    method: method ?? (body === null ? "GET" : "POST"),
    path: address.pathname + address.search,
    headers,
    ...(body !== null && { body }),
  };
}

function put(headers: Record<string, string>, line: string): void {
  const at = line.indexOf(":");
  if (at < 1) throw new Error(`no header: ${line}`);
  headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
}

/** Words between quotes are one word; the backslash keeps what comes after it. */
function shellWords(line: string): string[] {
  const part = /\s*\\\r?\n\s*|\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/gy;
  const words: string[] = [];
  let word: string | null = null;
  let end = 0;
  for (const found of line.trim().matchAll(part)) {
    end = found.index + found[0].length;
    const [, single, double, kept, plain] = found;
    const text = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? kept ?? plain;
    if (text !== undefined) word = (word ?? "") + text;
    else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  if (end !== line.trim().length) throw new Error(`a quote is open: ${line}`);
  return word === null ? words : [...words, word];
}
