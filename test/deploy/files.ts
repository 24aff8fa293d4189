import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A text of the folder `deploy/`. */
export function deployed(file: string): string {
  return readFileSync(fileURLToPath(new URL(`../../deploy/${file}`, import.meta.url)), "utf8");
}

/** A value of a compose file, as far as ours uses YAML. */
export type Node = string | Node[] | { [key: string]: Node };

/** Reads maps, lists of texts and of single pairs, anchors and `<<`, by indentation; whatever else YAML has is refused. */
export function readCompose(text: string): { [key: string]: Node } {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  const anchors = new Map<string, Node>();
  let at = 0;
  const indentOf = (line: string | undefined): number => (line === undefined ? -1 : line.search(/\S/));

  function block(indent: number): Node {
    return lines[at]?.slice(indent).startsWith("- ") ? list(indent) : map(indent);
  }

  function list(indent: number): Node[] {
    const entries: Node[] = [];
    for (; indentOf(lines[at]) === indent; at++) {
      const entry = /^- (.+)$/.exec(lines[at]?.slice(indent) ?? "")?.[1];
      if (entry === undefined) throw new Error(`no entry of a list: ${lines[at]}`);
      const [, key, value = ""] = /^(\w+): ([^"']+)$/.exec(entry) ?? [];
      entries.push(key === undefined ? scalar(entry) : { [key]: scalar(value) });
    }
    return entries;
  }

  function map(indent: number): { [key: string]: Node } {
    const found: { [key: string]: Node } = {};
    while (indentOf(lines[at]) === indent) {
      const [, key, anchor, rest = ""] =
        /^([\w.<-]+):(?: &(\w+))?(?: (.+))?$/.exec(lines[at]?.slice(indent) ?? "") ?? [];
      if (key === undefined) throw new Error(`no entry of a map: ${lines[at]}`);
      at++;
      const isBlock = rest === "" && indentOf(lines[at]) > indent;
      const value = isBlock ? block(indentOf(lines[at])) : scalar(rest);
      if (anchor !== undefined) anchors.set(anchor, value);
      if (key === "<<") Object.assign(found, anchors.get(rest.replace("*", "")));
      else found[key] = value;
    }
    return found;
  }

  const whole = map(0);
  if (at < lines.length) throw new Error(`not understood: ${lines[at]}`);
  return whole;
}

function scalar(text: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(text);
  if (quoted !== null) return quoted[2] ?? "";
  // What YAML would take for something else than the text that it looks like.
  if (/: |[ ]#|^[[{*&!|>%@`]/.test(text) && !text.startsWith("*")) throw new Error(`to be quoted: ${text}`);
  return text;
}

/** The node at a path. @throws Error where there is none */
export function nodeAt(root: Node, ...path: readonly string[]): Node {
  return path.reduce<Node>((node, key) => {
    const next = typeof node === "object" && !Array.isArray(node) ? node[key] : undefined;
    if (next === undefined) throw new Error(`there is no ${path.join(".")}`);
    return next;
  }, root);
}

/** A map of texts with the variables of compose put in: `${NAME}` and `${NAME:?what it is}`. */
export function substituted(
  node: Node,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const put = (text: string): string =>
    text.replace(/\$\{(\w+)(?::\?[^}]*)?\}/g, (_, name: string) => {
      const value = variables[name];
      if (value === undefined) throw new Error(`${name} is set nowhere`);
      return value;
    });
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, put(String(value))]));
}
