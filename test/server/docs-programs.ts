import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a fragment in a document takes for granted: an `Auth`, the guards, and some application around them. */
const around = `
import {
  all, any, anyone, type Auth, fresh, guard, type Handler, owner, permission, type Principal, type AuthRequest,
  rateLimit, role, type SignedIn, signedIn, signedInToWrite, skipIfAuthenticated, superuser, tier, type User, via,
} from "latchkey";
declare const auth: Auth;
declare const protect: Auth["protect"];
declare const handler: Handler<AuthRequest, SignedIn>;
declare const openHandler: Handler<AuthRequest, Principal>;
declare const principal: Principal;
declare const user: User;
declare const ownerOfInvoice: () => Promise<string | null>;
declare const invoiceOf: (path: string) => Promise<{ readonly ownerId: string } | null>;
`;

/** What is wrong with the TypeScript of a document: programs that import by themselves as they stand, fragments among what they take for granted. */
export function problemsOf(document: string): {
  readonly blocks: number;
  readonly problems: readonly string[];
} {
  const text = readFileSync(`${root}${document}`, "utf8");
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) =>
    /^import /m.test(block) ? block : `${around}${block}`,
  );
  // Each by itself: what one declares of the application's types is no matter of the others.
  return {
    blocks: blocks.length,
    problems: blocks.flatMap(problemsIn),
  };
}

/** Files that all programs share, read once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What is wrong with one program. */
export function problemsIn(block: string): readonly string[] {
  const path = `${root}test/server/program-of-a-document.ts`;
  const { config } = ts.readConfigFile(`${root}tsconfig.base.json`, ts.sys.readFile);
  const base = ts.convertCompilerOptionsFromJson(config.compilerOptions, root).options;
  const options: ts.CompilerOptions = {
    ...base,
    noEmit: true,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (file) => (file === path ? block : readFile(file));
  host.fileExists = (file) => file === path || fileExists(file);
  host.getSourceFile = (file, ...rest) => {
    if (file === path) return ts.createSourceFile(file, block, rest[0]);
    const known = parsed.get(file) ?? getSourceFile(file, ...rest);
    parsed.set(file, known);
    return known;
  };
  const program = ts.createProgram([path], options, host);
  const source = program.getSourceFile(path);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return found.map(({ messageText, start }) => {
    const line = source === undefined ? 0 : source.getLineAndCharacterOfPosition(start ?? 0).line;
    return `${block.split("\n")[line]}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
