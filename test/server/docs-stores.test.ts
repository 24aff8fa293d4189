import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import { settingNames } from "../../server/settings/table.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(`${root}docs/stores.md`, "utf8");

test("every program in docs/stores.md compiles against the packages and the drivers", {
  timeout: 60_000,
}, () => {
  const programs = new Map(
    [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program = ""], index) => [
      ...[`${root}test/server/stores-${index}.ts`],
      program,
    ]) as [string, string][],
  );
  expect(programs.size).toBeGreaterThan(7);
  const { config } = ts.readConfigFile(`${root}tsconfig.base.json`, ts.sys.readFile);
  const base = ts.convertCompilerOptionsFromJson(config.compilerOptions, root).options;
  const options: ts.CompilerOptions = {
    ...base,
    noEmit: true,
    declaration: false,
    isolatedDeclarations: false,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (file) => programs.get(file) ?? readFile(file);
  host.fileExists = (file) => programs.has(file) || fileExists(file);
  host.getSourceFile = (file, ...rest) => {
    const program = programs.get(file);
    return program === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, program, rest[0]);
  };
  const program = ts.createProgram([...programs.keys()], options, host);
  const found = [...programs.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  expect(
    found.map(({ file, messageText }) => [file?.text, ts.flattenDiagnosticMessageText(messageText, "\n")]),
  ).toEqual([]);
});

test("every setting that docs/stores.md shows is one", () => {
  const shown = [...text.matchAll(/^ {4}([A-Z_]+)=/gm)].map(([, name]) => name ?? "");
  expect(shown.length).toBeGreaterThan(10);
  expect(settingNames()).toEqual(expect.arrayContaining(shown));
});
