import ts from "typescript";

/** One import, re-export, `import()`, `import("…")` type, or `new URL("…", import.meta.url)` of a source file. */
export interface Import {
  readonly specifier: string;
  /** Erased when run: it ties the texts of two files together, not their loading. */
  readonly isTypeOnly: boolean;
  /** Loaded when the line runs, not with the file: `import("…")`. */
  readonly isLate: boolean;
}

/** What the rules need to know of a file. */
export interface Source {
  readonly imports: readonly Import[];
  /** Every identifier, and every string that stands alone as one. */
  readonly names: ReadonlySet<string>;
  readonly hasOwnStatements: boolean;
}

/** Reads a TypeScript file's imports from its syntax tree: a text search would believe comments and strings. */
export function parseSource(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const imports: Import[] = [];
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== null) imports.push(found);
    if (ts.isIdentifier(node) || ts.isStringLiteralLike(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { imports, names, hasOwnStatements: !tree.statements.every(isReExport) };
}

function isReExport(statement: ts.Statement): boolean {
  return ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined;
}

function importOf(node: ts.Node): Import | null {
  if (ts.isImportDeclaration(node)) return importFrom(node.moduleSpecifier, isTypeClause(node.importClause));
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return importFrom(node.moduleSpecifier, node.isTypeOnly || hasOnlyTypes(node.exportClause));
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return importFrom(node.argument.literal, true);
  }
  if (ts.isCallExpression(node) && isLoadingCall(node)) return importFrom(node.arguments[0], false, true);
  if (ts.isNewExpression(node) && isModuleUrl(node)) return importFrom(node.arguments?.[0], false);
  return null;
}

function importFrom(specifier: ts.Node | undefined, isTypeOnly: boolean, isLate = false): Import | null {
  return specifier !== undefined && ts.isStringLiteralLike(specifier)
    ? { specifier: specifier.text, isTypeOnly, isLate }
    : null;
}

function isTypeClause(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return clause.name === undefined && hasOnlyTypes(clause.namedBindings);
}

function hasOnlyTypes(bindings: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  if (bindings === undefined || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

function isLoadingCall(node: ts.CallExpression): boolean {
  const { expression } = node;
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(expression) && expression.text === "require")
  );
}

/** `new Worker(new URL("./thread.ts", import.meta.url))` loads a module as surely as an import does. */
function isModuleUrl(node: ts.NewExpression): boolean {
  const [file, base] = node.arguments ?? [];
  return (
    file !== undefined &&
    ts.isStringLiteralLike(file) &&
    /\.(ts|mjs|js)$/.test(file.text) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === "URL" &&
    base !== undefined &&
    ts.isPropertyAccessExpression(base) &&
    ts.isMetaProperty(base.expression)
  );
}
