const idShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A path as it may be kept for long: where Latchkey's own routes name an account, `{user}` stands in its place. Who is erased later must not
 * be found in rows about somebody else.
 *
 * @param basePath - where those routes lie
 */
export function namelessPath(path: string, basePath: string): string {
  const prefix = `${basePath === "/" ? "" : basePath}/users/`;
  if (!path.startsWith(prefix)) return path;
  const segments = path.slice(prefix.length).split("/");
  const at = segments[0] === "db" ? 1 : 0;
  const named = segments[at];
  if (!named || (at === 0 && named === "me") || idShape.test(named)) return path;
  return prefix + segments.with(at, "{user}").join("/");
}
