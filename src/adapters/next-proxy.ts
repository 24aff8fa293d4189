import type { Guard } from "../ports/guard.ts";

/**
 * Finds the guards of the longest path that a request's lies at or below.
 *
 * Paths are compared as the application's router reads them: decoded, and without empty or trailing segments.
 *
 * @returns null for a path that none covers
 * @throws TypeError for a path that does not begin with a slash
 */
export function guardsByPath(
  pages: Readonly<Record<string, readonly Guard[]>>,
): (pathname: string) => readonly Guard[] | null {
  const table = Object.entries(pages).map(([path, guards]) => {
    if (!path.startsWith("/")) throw new TypeError(`proxy: ${path} has to begin with a slash`);
    return { segments: segmentsOf(path), guards };
  });
  table.sort((one, other) => other.segments.length - one.segments.length);
  return (pathname) => {
    const asked = segmentsOf(pathname);
    const found = table.find(({ segments }) => segments.every((segment, at) => segment === asked[at]));
    return found?.guards ?? null;
  };
}

function segmentsOf(path: string): readonly string[] {
  return path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
