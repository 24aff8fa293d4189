import { requestUrl } from "./next-path.ts";

/**
 * Every path that a router may read in a request's URL; for most requests one. Routers do not agree about dot segments, escaped slashes
 * and addresses that no browser sends: what is found by the path alone would be gone round by a spelling that the application's
 * router reads otherwise.
 */
export function requestPaths(url: string): readonly string[] {
  const written = targets(url).map((target) => target.split(/[?#]/, 1)[0] ?? "");
  const paths = new Set<string>();
  for (const path of [requestUrl(url).pathname, ...written]) {
    paths.add(path);
    // An escaped slash as a letter, beside as a separator: decoded once, it stays escaped.
    paths.add(path.replaceAll(/%(?=2f|5c)/gi, "%25"));
  }
  return [...paths];
}

/** Where an authority ends: by the standard; at the first slash, whatever comes before it; at what no name of a host has. */
const authorityEnds = [/[/?#]/, /\//, /[^\w.:@[\]-]/];

function targets(url: string): readonly string[] {
  if (url.startsWith("/")) return [url];
  const [scheme] = /^[a-z][a-z\d+.-]*:\/\//i.exec(url) ?? [];
  if (scheme === undefined) return ["/"];
  const rest = url.slice(scheme.length);
  return authorityEnds.map((end) => {
    const at = rest.search(end);
    const target = at === -1 ? "" : rest.slice(at);
    return target.startsWith("/") ? target : `/${target}`;
  });
}
