import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandLine, openCommandLine } from "./command-line.ts";
import { commandsOf } from "./commands.ts";
import { blocksIn, blocksOf, documents, pageOf, root } from "./documents.ts";
import { notRun, runElsewhere } from "./not-run.ts";
import { serverOf } from "./servers.ts";
import { missingPrograms, runPage, shellBlocks } from "./shell.ts";

/** A page with mistakes. */
const planted = `~~~sh
true
false
curl localhost:3000/nothing
curl localhost:3000/nothing # 404
curl localhost:3000/nothing # 401
echo hello                  # → hello
echo hello                  # → bye
echo '{"a":{"b":1}}'
~~~

~~~json
{ "a": { "b": 2 } }
~~~

~~~sh
name=Ada; echo "{\\"name\\":\\"$name\\"}"
~~~

~~~json
{ "name": "A…" }
~~~

~~~sh
rmdir anything
latchkey user show nobody
echo $UNSET
true
~~~
`;

const home = process.cwd();
let folder = "";
let commandLine: CommandLine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-docs-"));
  commandLine = await openCommandLine(join(folder, "command-line"));
});

afterAll(async () => {
  process.chdir(home);
  await commandLine.close();
  await rm(folder, { recursive: true, force: true });
});

// Small containers have no curl. Where everything has to be there, its absence is a failure.
const missing = process.env.REQUIRE_SERVICES === "1" ? [] : missingPrograms();
const without = missing.length === 0 ? "" : ` (SKIPPED: no ${missing.join(", ")} on this machine)`;

describe.skipIf(missing.length > 0)(`the commands of the documents${without}`, () => {
  const pages = documents().filter((document) => shellBlocks(document).length > 0);

  test.each(pages)("%s: each does what the page says", async (document) => {
    const own = join(folder, pageOf(document));
    await mkdir(own, { recursive: true });
    // The server and the command line find their database from where they are.
    process.chdir(own);
    const server = await serverOf(document);
    try {
      const shell = { folder: own, port: server.port, latchkey: commandLine.script };
      expect((await runPage(document, shell)).join("\n\n")).toBe("");
    } finally {
      await server.stop();
    }
  });

  test("a command that does otherwise than its page says is told, by its line", async () => {
    const own = join(folder, "planted");
    await mkdir(own);
    process.chdir(own);
    const server = await serverOf("planted.md");
    try {
      const shell = { folder: own, port: server.port, latchkey: commandLine.script };
      const found = await runPage("planted.md", shell, blocksIn(planted, "planted.md"));
      expect(found.map((each) => each.split("\n")[0])).toEqual([
        "planted.md:3: it ended with 1",
        "planted.md:4: it was answered 404",
        "planted.md:6: it was answered 404, and the page says 401",
        'planted.md:8: its output has no "bye"',
        "planted.md:9: its output is not what stands at line 13",
        "planted.md:25: it ended with 127",
        "planted.md:26: it ended with 1",
        "planted.md:27: it was never run, or the shell ended with it",
        "planted.md:28: it was never run, or the shell ended with it",
      ]);
    } finally {
      await server.stop();
    }
  });

  test("a command that is not run is one of those that have a reason", () => {
    const commands = documents()
      .flatMap(blocksOf)
      .filter(({ language, document }) => language === "console" && !(document in runElsewhere))
      .flatMap(({ document, text, line }) =>
        commandsOf(text, line).map((command) => ({
          where: `${document}:${command.line}`,
          text: command.text,
        })),
      );
    const reasonOf = (text: string): string | undefined =>
      Object.keys(notRun).find((each) => text.startsWith(each));
    expect(commands.filter(({ text }) => reasonOf(text) === undefined)).toEqual([]);
    // A reason that nobody needs any more would let the next one through.
    expect(new Set(commands.map(({ text }) => reasonOf(text)))).toEqual(new Set(Object.keys(notRun)));
  });

  test.each(Object.entries(runElsewhere))("%s is run by %s", async (document, file) => {
    expect(documents()).toContain(document);
    expect(await readFile(join(root, file), "utf8")).toContain(document);
  });
});
