import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { isLike, isLikeJson } from "./answers.ts";
import { type Command, commandsOf } from "./commands.ts";
import { type Block, blocksOf, pageOf, surroundings } from "./documents.ts";

/** What the commands of a page are run with. */
export interface Shell {
  /** Empty; the working directory. */
  readonly folder: string;
  /** Where `localhost:3000` leads. */
  readonly port: number;
  /** Of the program `latchkey`. */
  readonly latchkey: string;
}

/** A command, and what its page says of it besides. */
interface Step {
  readonly command: Command;
  /** The block that follows its own, where it is the answer. */
  readonly answer: Block | null;
}

/** What a command did. */
interface Done {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Of each answer of curl. */
  readonly statuses: readonly number[];
}

/** The blocks of a document that a shell runs. */
export function shellBlocks(document: string): readonly Block[] {
  return blocksOf(document).filter(({ language }) => language === "sh");
}

/**
 * Runs every `sh` block of a document in one shell, after `surroundings/<document>.sh`.
 *
 * @returns a line for each command that did not do what the page says, with what it wrote
 */
export async function runPage(
  document: string,
  shell: Shell,
  blocks: readonly Block[] = blocksOf(document),
): Promise<readonly string[]> {
  const steps = blocks.flatMap((block, at) =>
    block.language === "sh" ? stepsOf(block, blocks[at + 1]) : [],
  );
  const notes = join(shell.folder, ".notes");
  await prepare(shell, notes);
  const before = await scriptBefore(document);
  await bash([before, ...steps.map(({ command }, at) => noted(command.text, at))].join("\n"), shell, notes);
  const done = await Promise.all(steps.map((_, at) => read(notes, String(at))));
  const start = before === "" ? [] : problems("its surroundings", await read(notes, "before"), nothingSaid);
  return [
    ...start,
    ...steps.flatMap((step, at) => {
      const what = `${document}:${step.command.line}`;
      return problems(what, done[at] ?? nothingDone, step);
    }),
  ];
}

/**
 * All that pages and their surroundings may call: what they print is run as it stands, and nothing here reaches beyond the folder. A command
 * that needs more is `console`.
 */
const programs = [
  "bash",
  "base64",
  "cat",
  "cp",
  "curl",
  "cut",
  "env",
  "grep",
  "head",
  "mkdir",
  "mv",
  "sed",
  "sort",
  "tail",
  "tr",
  "wc",
];

const nothingDone: Done = { code: null, out: "", err: "", statuses: [] };
const nothingSaid: Step = { command: { line: 0, text: "", status: null, words: null }, answer: null };

function stepsOf(block: Block, next: Block | undefined): readonly Step[] {
  const isAnswer = next?.isNext === true && ["json", "text"].includes(next.language);
  const commands = commandsOf(block.text, block.line);
  return commands.map((command, at) => ({
    command,
    answer: isAnswer && at === commands.length - 1 ? next : null,
  }));
}

/** The surroundings of all pages and of this one, as one command. */
async function scriptBefore(document: string): Promise<string> {
  const own = join(surroundings, `${pageOf(document)}.sh`);
  if (!existsSync(own)) return "";
  const common = await readFile(join(surroundings, "common.sh"), "utf8");
  return `${common}\n${noted(await readFile(own, "utf8"), "before")}`;
}

/** A command whose outcome is written down. In braces it shares variables with the rest, and `set -e` is not wanted: each is looked at. */
function noted(text: string, name: number | string): string {
  return `{\n${text}\n} >"$NOTES/${name}.out" 2>"$NOTES/${name}.err"\necho $? >"$NOTES/${name}.code"`;
}

async function prepare({ folder, port, latchkey }: Shell, notes: string): Promise<void> {
  await mkdir(join(notes, "bin"), { recursive: true });
  await writeFile(
    join(notes, ".curlrc"),
    [
      "silent",
      "show-error",
      "max-time = 20",
      `connect-to = "localhost:3000:127.0.0.1:${port}"`,
      'write-out = "%{stderr}\\nanswered %{http_code}\\n"',
      "",
    ].join("\n"),
  );
  const npx =
    '#!/usr/bin/env bash\n[ "$1" = latchkey ] && shift && exec latchkey "$@"\necho "npx $1" >&2; exit 1\n';
  for (const name of programs) await symlink(pathOf(name), join(notes, "bin", name));
  for (const [name, text] of Object.entries({ latchkey, npx })) {
    await writeFile(join(notes, "bin", name), text);
    await chmod(join(notes, "bin", name), 0o755);
  }
  await mkdir(dirname(folder), { recursive: true });
}

/** The programs that this machine would need to run the commands of pages, and does not have. */
export function missingPrograms(): readonly string[] {
  return programs.filter((program) => foundAt(program) === undefined);
}

function foundAt(program: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function pathOf(program: string): string {
  const path = foundAt(program);
  if (path === undefined) throw new Error(`${program} is needed to run the commands of the documents`);
  return path;
}

async function bash(script: string, { folder }: Shell, notes: string): Promise<void> {
  const child = spawn(pathOf("bash"), ["--noprofile", "--norc", "-u"], {
    cwd: folder,
    env: {
      PATH: join(notes, "bin"),
      HOME: folder,
      CURL_HOME: notes,
      NOTES: notes,
      FIXTURES: join(surroundings, "../../server/fixtures"),
    },
    stdio: ["pipe", "ignore", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  // What a command reads is its own: the script comes by a file of its own, and standard input is empty.
  await writeFile(join(notes, "script.sh"), script);
  child.stdin.end(`exec <"/dev/null"; source "$NOTES/script.sh"\n`);
  await once(child, "close");
  if (complaints !== "") await writeFile(join(notes, "shell.err"), complaints);
}

async function read(notes: string, name: string): Promise<Done> {
  const text = (ending: string): string => {
    const path = join(notes, `${name}.${ending}`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const code = text("code").trim();
  const err = text("err");
  return {
    code: code === "" ? null : Number(code),
    out: text("out"),
    err: err.replaceAll(/^answered \d+\n/gm, "").trim(),
    statuses: [...err.matchAll(/^answered (\d+)$/gm)].map(([, status]) => Number(status)),
  };
}

function problems(what: string, done: Done, { command, answer }: Step): readonly string[] {
  const wrong = wrongWith(done, command, answer);
  if (wrong === null) return [];
  return [
    `${what}: ${wrong}\n  $ ${command.text}\n  ${done.out.slice(0, 2_000)}\n  ${done.err.slice(0, 2_000)}`,
  ];
}

function wrongWith(done: Done, { status, words }: Command, answer: Block | null): string | null {
  if (done.code === null) return "it was never run, or the shell ended with it";
  if (done.code !== 0) return `it ended with ${done.code}`;
  const last = done.statuses.at(-1) ?? null;
  const refused = done.statuses.find((each) => each >= 400);
  if (status !== null && last !== status) return `it was answered ${last}, and the page says ${status}`;
  if (status === null && refused !== undefined) return `it was answered ${refused}`;
  if (words !== null && !isLike(done.out, `…${words}…`)) return `its output has no "${words}"`;
  if (answer === null) return null;
  return isAnswered(done.out, answer) ? null : `its output is not what stands at line ${answer.line}`;
}

function isAnswered(out: string, { language, text }: Block): boolean {
  if (language === "text") return isLike(out, text);
  try {
    return isLikeJson(JSON.parse(out), JSON.parse(text));
  } catch {
    return false;
  }
}
