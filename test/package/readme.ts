/** The first TypeScript program of a Markdown text, or null. */
export function firstProgram(markdown: string): string | null {
  return /^```ts\n(.*?)^```$/ms.exec(markdown)?.[1] ?? null;
}

/** Names of the packages that a program imports, without subpaths. */
export function importedPackages(program: string): string[] {
  const specifiers = [...program.matchAll(/\bfrom "([^".][^"]*)"/g)].map((match) => match[1] ?? "");
  const names = specifiers.map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
  return [...new Set(names.filter((name) => !name.startsWith("node:")))];
}
