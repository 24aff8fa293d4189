import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { docText } from "./api-text.ts";

/** An export, as readers see it. */
export interface Declared {
  readonly name: string;
  readonly isType: boolean;
  /** What its comment says, as Markdown. */
  readonly text: string;
  /** Its declaration, without bodies and without its own comment. */
  readonly code: string;
}

/** Where a name is declared. */
interface Origin {
  readonly name: string;
  readonly file: string;
  /** There. */
  readonly inner: string;
}

/**
 * The exports of a module, those that it hands on included, by name.
 *
 * Read without the types of anything: sources spell out the types of what they export (`isolatedDeclarations`), so a declaration is
 * the text without its bodies.
 *
 * @throws Error - an export has no declaration, or none that says something
 */
export function readExports(file: string): readonly Declared[] {
  return originsIn(file)
    .map(declared)
    .sort((one, other) => one.name.localeCompare(other.name, "en"));
}

const sources = new Map<string, ts.SourceFile>();

function sourceOf(file: string): ts.SourceFile {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2023, true);
  sources.set(file, source);
  return source;
}

function originsIn(file: string): readonly Origin[] {
  const origins: Origin[] = [];
  for (const statement of sourceOf(file).statements) {
    if (ts.isExportDeclaration(statement)) origins.push(...handedOn(statement, file));
    else if (isExported(statement))
      origins.push(...namesOf(statement).map((name) => ({ name, file, inner: name })));
  }
  return origins;
}

function handedOn({ exportClause, moduleSpecifier }: ts.ExportDeclaration, file: string): readonly Origin[] {
  const from =
    moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)
      ? file
      : join(dirname(file), moduleSpecifier.text);
  if (exportClause === undefined) return originsIn(from);
  if (!ts.isNamedExports(exportClause)) throw new Error(`${file}: a namespace is handed on`);
  return exportClause.elements.map(({ name, propertyName }) => {
    const inner = (propertyName ?? name).text;
    return { ...found(inner, from), name: name.text };
  });
}

/** Where a name of a module was declared: there, or where it has it from. */
function found(name: string, file: string): Omit<Origin, "name"> {
  const isHere = sourceOf(file).statements.some((statement) => namesOf(statement).includes(name));
  if (isHere) return { file, inner: name };
  const handed = originsIn(file).find((each) => each.name === name);
  if (handed !== undefined) return handed;
  for (const statement of sourceOf(file).statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const element = bindings.elements.find((each) => each.name.text === name);
    if (element === undefined) continue;
    return found(
      (element.propertyName ?? element.name).text,
      join(dirname(file), statement.moduleSpecifier.text),
    );
  }
  throw new Error(`${file} does not declare ${name}`);
}

function declared({ name, file, inner }: Origin): Declared {
  const all = sourceOf(file).statements.filter((statement) => namesOf(statement).includes(inner));
  // Of a function with overloads the last is how it is done.
  const statements =
    all.length > 1 ? all.filter((each) => !(ts.isFunctionDeclaration(each) && each.body)) : all;
  return {
    name,
    isType: statements.every((each) => ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)),
    text: docText(statements.flatMap((statement) => ts.getJSDocCommentsAndTags(statement))),
    code: statements.map(codeOf).join("\n"),
  };
}

function codeOf(statement: ts.Statement): string {
  const source = statement.getSourceFile();
  const text = (from: number, to: number): string => source.text.slice(from, to).trim();
  const start = statement.getStart(source);
  const end = ts.isFunctionDeclaration(statement) ? (statement.body?.pos ?? statement.end) : statement.end;
  const code = ts.isClassDeclaration(statement) ? classCode(statement, text) : text(start, end);
  return code.replace(/^export (declare |async )*/, "");
}

/** A class without what is its own alone, and without bodies. */
function classCode(declaration: ts.ClassDeclaration, text: (from: number, to: number) => string): string {
  const isOpen = (member: ts.ClassElement): boolean =>
    !(member.name !== undefined && ts.isPrivateIdentifier(member.name)) &&
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) === 0;
  const members = declaration.members.filter(isOpen).map((member) => {
    const body =
      ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member) ? member.body : undefined;
    return `  ${text(member.getFullStart(), body?.pos ?? member.end).replace(/;$/, "")};`;
  });
  return `${text(declaration.getStart(), declaration.members.pos)}\n${members.join("\n")}\n}`;
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false)
  );
}

function namesOf(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) =>
      ts.isIdentifier(name) ? [name.text] : [],
    );
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}
