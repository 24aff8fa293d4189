import ts from "typescript";

/** A name at the top of a module: something that exists when it runs, or a type alone. */
export interface Name {
  readonly name: string;
  readonly isType: boolean;
  readonly isExported: boolean;
}

/** What a module's text says about names, read without the types of anything. */
export interface Names {
  readonly declared: readonly Name[];
  /** Every identifier in the text, also those that only look like a use: the name of a property. */
  readonly used: ReadonlySet<string>;
  /** Modules whose names it hands on whole: `export * from "…"`. */
  readonly handedOn: readonly string[];
  /** Whether it adds to the types of another module, which holds for the whole program. */
  readonly isAugmenting: boolean;
}

/** Reads the names of a module. */
export function namesIn(text: string, path: string): Names {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, false);
  const used = new Set<string>();
  const note = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) used.add(node.text);
    ts.forEachChild(node, note);
  };
  note(source);
  return {
    declared: source.statements.flatMap(namesOf),
    used,
    handedOn: source.statements.flatMap(handedOnBy),
    isAugmenting: source.statements.some(ts.isModuleDeclaration),
  };
}

function namesOf(statement: ts.Statement): readonly Name[] {
  if (ts.isImportDeclaration(statement)) return importedBy(statement);
  if (ts.isExportDeclaration(statement)) return exportedBy(statement);
  const isExported = ts.canHaveModifiers(statement)
    ? (ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false)
    : false;
  const one = (name: string, isType = false): Name => ({ name, isType, isExported });
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) =>
      boundBy(name).map((each) => one(each)),
    );
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
    return statement.name === undefined ? [] : [one(statement.name.text)];
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
    return [one(statement.name.text, true)];
  return [];
}

function boundBy(name: ts.BindingName): readonly string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundBy(element.name) : []));
}

function importedBy({ importClause }: ts.ImportDeclaration): readonly Name[] {
  if (importClause === undefined) return [];
  const areTypes = importClause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const { name, namedBindings } = importClause;
  const one = (id: ts.Identifier, isType = false): Name => ({
    name: id.text,
    isType: isType || areTypes,
    isExported: false,
  });
  const named = namedBindings === undefined ? [] : bindingsOf(namedBindings);
  return [...(name === undefined ? [] : [one(name)]), ...named.map(([id, isType]) => one(id, isType))];
}

function bindingsOf(bindings: ts.NamedImportBindings): readonly (readonly [ts.Identifier, boolean])[] {
  if (ts.isNamespaceImport(bindings)) return [[bindings.name, false]];
  return bindings.elements.map(({ name, isTypeOnly }) => [name, isTypeOnly]);
}

function exportedBy({ exportClause, isTypeOnly: areTypes }: ts.ExportDeclaration): readonly Name[] {
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return [];
  return exportClause.elements.map(({ name, isTypeOnly }) => ({
    name: name.text,
    isType: areTypes || isTypeOnly,
    isExported: true,
  }));
}

function handedOnBy(statement: ts.Statement): readonly string[] {
  if (!ts.isExportDeclaration(statement) || statement.exportClause !== undefined) return [];
  const { moduleSpecifier } = statement;
  return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier) ? [moduleSpecifier.text] : [];
}
