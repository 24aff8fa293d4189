import type { Route } from "../ports/route.ts";

/** A path that is one of ours; `route` is null where it does not answer to the method. */
export interface RouteMatch {
  readonly route: Route | null;
  readonly allowed: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a request. */
export interface RouteTable {
  match(method: string, pathname: string): RouteMatch | null;
}

/** A table over routes, paths with and without a slash at their end. @throws TypeError for two routes of one method and path */
export function routeTable(routes: readonly Route[], basePath: string): RouteTable {
  const base = basePath === "/" ? "" : basePath;
  const fixed = new Map<string, Route[]>();
  const variable: VariableRow[] = [];
  for (const route of routes) {
    const path = (route.isAtRoot ? "" : base) + route.path;
    const rows = path.includes("{") ? variableRows(variable, path) : fixedRows(fixed, path);
    if (rows.some(({ method }) => method === route.method))
      throw new TypeError(`two routes answer ${route.method} ${path}`);
    rows.push(route);
  }
  variable.sort(moreLiteral);
  return {
    match(method, pathname) {
      const path = pathname.length > 1 && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
      const rows = fixed.get(path);
      if (rows !== undefined) return choose(rows, method, {});
      for (const { segments, routes: candidates } of variable) {
        const params = bind(segments, path.split("/"));
        if (params !== null) return choose(candidates, method, params);
      }
      return null;
    },
  };
}

interface VariableRow {
  readonly segments: readonly string[];
  readonly routes: Route[];
}

// `/users/me/sessions/{id}` before `/users/{user}/sessions/{id}`, whoever lists them first.
function moreLiteral(a: VariableRow, b: VariableRow): number {
  return firstVariable(b) - firstVariable(a);
}

function firstVariable({ segments }: VariableRow): number {
  return segments.findIndex((segment) => segment.startsWith("{"));
}

function fixedRows(fixed: Map<string, Route[]>, path: string): Route[] {
  const rows = fixed.get(path) ?? [];
  fixed.set(path, rows);
  return rows;
}

function variableRows(variable: VariableRow[], path: string): Route[] {
  const known = variable.find(({ segments }) => segments.join("/") === path);
  if (known !== undefined) return known.routes;
  const added = { segments: path.split("/"), routes: [] };
  variable.push(added);
  return added.routes;
}

function choose(
  rows: readonly Route[],
  method: string,
  params: Readonly<Record<string, string>>,
): RouteMatch {
  const wanted = method === "HEAD" ? "GET" : method;
  return {
    route: rows.find((row) => row.method === wanted) ?? null,
    allowed: rows.map((row) => row.method),
    params,
  };
}

function bind(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (part.startsWith("{")) {
      if (segment === "") return null;
      params[part.slice(1, -1)] = decoded(segment);
    } else if (part !== segment) return null;
  }
  return params;
}

// A segment with a broken escape is taken as it stands: it will match no id.
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
