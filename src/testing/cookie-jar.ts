/** A cookie as a browser keeps it. */
export interface TestCookie {
  readonly name: string;
  readonly value: string;
  /** Without a leading dot; null where it is for the host that set it alone. */
  readonly domain: string | null;
  readonly path: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "Strict" | "Lax" | "None";
  /** Null for one that ends with the browser. */
  readonly maxAgeSeconds: number | null;
}

/** The cookies of one browser on one site. */
export interface CookieJar {
  /** Keeps what an answer sets, and drops what it deletes. */
  keep(setCookies: readonly string[]): void;
  /** The value of a cookie; null where there is none. */
  value(name: string): string | null;
  /** The header `Cookie` for a path; null where none is to be sent. */
  header(path: string): string | null;
  all(): readonly TestCookie[];
}

/** A jar for tests: it keeps what a site sets for itself, and no time passes in it. */
export function cookieJar(): CookieJar {
  const kept = new Map<string, TestCookie>();
  return {
    keep(setCookies) {
      for (const line of setCookies) {
        const cookie = parsed(line);
        const key = `${cookie.name};${cookie.path}`;
        if (cookie.maxAgeSeconds !== null && cookie.maxAgeSeconds <= 0) kept.delete(key);
        else kept.set(key, cookie);
      }
    },
    value: (name) => [...kept.values()].find((cookie) => cookie.name === name)?.value ?? null,
    header(path) {
      const sent = [...kept.values()].filter((cookie) => isFor(cookie, path));
      return sent.length === 0 ? null : sent.map(({ name, value }) => `${name}=${value}`).join("; ");
    },
    all: () => [...kept.values()],
  };
}

/** @see RFC 6265, section 5.1.4 */
function isFor({ path }: TestCookie, requested: string): boolean {
  return requested === path || requested.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function parsed(line: string): TestCookie {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const at = pair.indexOf("=");
  const named = new Map(
    attributes.map((each): [string, string] => {
      const [name = "", ...value] = each.split("=");
      return [name.toLowerCase(), value.join("=")];
    }),
  );
  const sameSite = named.get("samesite")?.toLowerCase();
  return {
    name: pair.slice(0, at),
    value: pair.slice(at + 1),
    domain: named.get("domain")?.replace(/^\./, "") || null,
    path: named.get("path") || "/",
    httpOnly: named.has("httponly"),
    secure: named.has("secure"),
    sameSite: sameSite === "strict" ? "Strict" : sameSite === "none" ? "None" : "Lax",
    maxAgeSeconds: maxAgeOf(named),
  };
}

// `Max-Age` comes before `Expires`, which frameworks use to delete a cookie.
function maxAgeOf(attributes: ReadonlyMap<string, string>): number | null {
  const seconds = attributes.get("max-age");
  if (seconds !== undefined && /^-?\d+$/.test(seconds)) return Number(seconds);
  const expires = Date.parse(attributes.get("expires") ?? "");
  return expires <= 0 ? 0 : null;
}
