import type { Kind } from "./kind.ts";

/** Fewest bytes of a secret: a key shorter than the digest weakens every HMAC made with it. @see RFC 2104, section 3 */
export const secretMinBytes = 32;

/** A secret. Its text never gets into a problem or a warning. */
export function secret(): Kind<string> {
  return {
    accepts: `at least ${secretMinBytes} bytes, no comma`,
    unit: null,
    read: (text) => {
      const fix = "Run `latchkey secret` and use what it prints.";
      // SECRET_KEY_PREVIOUS is a comma list: such a secret could never be rotated out.
      if (text.includes(",")) return { ok: false, problem: "contains a comma", fix };
      if (Buffer.byteLength(text) < secretMinBytes) {
        return { ok: false, problem: `is shorter than ${secretMinBytes} bytes`, fix };
      }
      return { ok: true, value: text };
    },
  };
}

/** A path of this origin such as `/app/dashboard`; a slash at the end is dropped. */
export function sitePath(): Kind<string> {
  return {
    accepts: "a path: /app/dashboard",
    unit: null,
    read: (text) => {
      const path = text.length > 1 ? text.replace(/\/$/, "") : text;
      const segments = path.split("/").slice(1);
      // "//host" and "/\host" lead to another site, dot segments to another path than the one that was checked.
      const isPath = path === "/" || (path.startsWith("/") && segments.every(isSegment));
      if (isPath) return { ok: true, value: path };
      const fix =
        "Begin with one slash and use letters, digits and . _ ~ - between slashes, as in /app/dashboard.";
      return { ok: false, problem: "is no path of this site", fix };
    },
  };
}

/** The part of a cookie's name that may be chosen; the prefixes `__Host-` and `__Secure-` are added where they apply. */
export function cookieName(): Kind<string> {
  return {
    accepts: "1 to 64 of A-Z a-z 0-9 _ -",
    unit: null,
    read: (text) => {
      const fix = "Write 1 to 64 of A-Z a-z 0-9 _ - without a prefix, as in latchkey.";
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) return { ok: false, problem: "is no usable cookie name", fix };
      if (/^__(?:host|secure|http)/i.test(text))
        return { ok: false, problem: "has a prefix that is added by itself", fix };
      return { ok: true, value: text };
    },
  };
}

/** Where accounts are kept. */
export interface DatabaseAddress {
  readonly engine: "sqlite";
  /** Path of the file, relative to the working directory or absolute. */
  readonly path: string;
}

/** A database by its URL: `sqlite:data/latchkey.db`, or `sqlite:///var/lib/latchkey.db` for an absolute path. */
export function databaseUrl(): Kind<DatabaseAddress> {
  return {
    accepts: "sqlite:<path>",
    unit: null,
    read: (text) => {
      const fix =
        "Write sqlite: and the path of a file, as in sqlite:data/latchkey.db or sqlite:///var/lib/latchkey.db.";
      const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(text)?.[0]?.toLowerCase() ?? null;
      if (scheme === null) return { ok: false, problem: "does not begin with a scheme", fix };
      const known = Object.hasOwn(laterEngines, scheme) ? laterEngines[scheme] : undefined;
      if (known !== undefined)
        return { ok: false, problem: `names ${known}, which is not supported by this version`, fix };
      if (scheme !== "sqlite") return { ok: false, problem: "names no database that is known", fix };
      const path = text.slice("sqlite:".length).replace(/^\/\/\//, "/");
      // "sqlite://data/x.db" has the host "data" to one reader and the folder to another.
      if (path.startsWith("//")) return { ok: false, problem: "has a host where a path belongs", fix };
      if (path === ":memory:")
        return { ok: false, problem: "would lose every account at the next start", fix };
      if (path === "" || path.endsWith("/")) return { ok: false, problem: "names no file", fix };
      if (/[?#\p{Cc}]/u.test(path)) return { ok: false, problem: "has parameters, which are not read", fix };
      return { ok: true, value: { engine: "sqlite", path } };
    },
  };
}

const laterEngines: Readonly<Record<string, string>> = {
  postgres: "PostgreSQL",
  postgresql: "PostgreSQL",
  mysql: "MySQL",
  mariadb: "MariaDB",
};

function isSegment(text: string): boolean {
  return /^[A-Za-z0-9._~-]+$/.test(text) && text !== "." && text !== "..";
}
