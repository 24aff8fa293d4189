import type { Kind, Reading } from "./kind.ts";

/** Where accounts are kept. */
export type DatabaseAddress = SqliteAddress | PostgresAddress | MysqlAddress;

/** An SQLite file. */
export interface SqliteAddress {
  readonly engine: "sqlite";
  /** Path of the file, relative to the working directory or absolute. */
  readonly path: string;
}

/** A PostgreSQL database. */
export interface PostgresAddress {
  readonly engine: "postgres";
  /** As the driver reads it, password and parameters (`sslmode`, `host`) included: a secret. */
  readonly url: string;
  /** Where it is, for messages. */
  readonly place: string;
}

/** A MySQL or MariaDB database. */
export interface MysqlAddress {
  readonly engine: "mysql";
  readonly host: string;
  readonly port: number;
  /** Path of a socket of this machine in place of host and port, or null. */
  readonly socketPath: string | null;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Whether the connection is encrypted, and the server's certificate and name checked. */
  readonly isTls: boolean;
  /** Path of the certificates that are trusted; null: those that Node trusts. */
  readonly tlsCaPath: string | null;
  readonly place: string;
}

const example =
  "Write sqlite:data/latchkey.db, postgres://user:password@host/database or mysql://user:password@host/database.";

/** A database by its URL. What is refused is never repeated: the text may hold a password. */
export function databaseUrl(): Kind<DatabaseAddress> {
  return {
    accepts: "sqlite:<path>, postgres://…, postgresql://…, mysql://… or mariadb://…",
    unit: null,
    read: (text) => {
      const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(text)?.[0]?.toLowerCase() ?? null;
      if (scheme === null) return { ok: false, problem: "does not begin with a scheme", fix: example };
      if (!Object.hasOwn(readers, scheme))
        return { ok: false, problem: "names no database that is known", fix: example };
      return readers[scheme as keyof typeof readers](text);
    },
  };
}

const readers = {
  sqlite,
  postgres,
  postgresql: postgres,
  mysql,
  mariadb: mysql,
} as const;

function sqlite(text: string): Reading<SqliteAddress> {
  const fix =
    "Write sqlite: and the path of a file, as in sqlite:data/latchkey.db or sqlite:///var/lib/latchkey.db.";
  const path = text.slice("sqlite:".length).replace(/^\/\/\//, "/");
  // "sqlite://data/x.db" has the host "data" to one reader and the folder to another.
  if (path.startsWith("//")) return { ok: false, problem: "has a host where a path belongs", fix };
  if (path === ":memory:") return { ok: false, problem: "would lose every account at the next start", fix };
  if (path === "" || path.endsWith("/")) return { ok: false, problem: "names no file", fix };
  if (/[?#\p{Cc}]/u.test(path)) return { ok: false, problem: "has parameters, which are not read", fix };
  return { ok: true, value: { engine: "sqlite", path } };
}

function postgres(text: string): Reading<PostgresAddress> {
  const fix = "Write postgres://user:password@host:5432/database, what is special in a password as %xx.";
  const url = parsed(text);
  if (url === null) return { ok: false, problem: "is no URL", fix };
  const host = url.hostname === "" ? url.searchParams.get("host") : url.hostname;
  if (host === null || host === "") return { ok: false, problem: "names no host", fix };
  if (decoded(url.pathname.slice(1)) === "") return { ok: false, problem: "names no database", fix };
  const place = `${host}${host.startsWith("/") ? "" : `:${url.port || "5432"}`}`;
  return { ok: true, value: { engine: "postgres", url: text, place } };
}

function mysql(text: string): Reading<MysqlAddress> {
  const fix = "Write mysql://user:password@host:3306/database, what is special in a password as %xx.";
  const url = parsed(text);
  if (url === null) return { ok: false, problem: "is no URL", fix };
  const { searchParams } = url;
  const unread = [...searchParams.keys()].find((name) => !["ssl-mode", "ssl-ca", "socket"].includes(name));
  // The driver would take any of its options from here, several statements in one call among them.
  if (unread !== undefined)
    return { ok: false, problem: "has a parameter that is not read", fix: mysqlParameters };
  const mode = searchParams.get("ssl-mode")?.toUpperCase() ?? "DISABLED";
  if (mode !== "DISABLED" && mode !== "VERIFY_IDENTITY")
    return {
      ok: false,
      problem: "has an ssl-mode that does not check whom it talks to",
      fix: mysqlParameters,
    };
  const socketPath = searchParams.get("socket");
  if (url.hostname === "" && socketPath === null) return { ok: false, problem: "names no host", fix };
  const database = decoded(url.pathname.slice(1)) ?? "";
  if (database === "") return { ok: false, problem: "names no database", fix };
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? 3306 : Number(url.port);
  return {
    ok: true,
    value: {
      engine: "mysql",
      host,
      port,
      socketPath,
      user: decoded(url.username) ?? "",
      password: decoded(url.password) ?? "",
      database,
      isTls: mode === "VERIFY_IDENTITY",
      tlsCaPath: searchParams.get("ssl-ca"),
      place: socketPath ?? `${host}:${port}`,
    },
  };
}

const mysqlParameters = "Only ssl-mode=VERIFY_IDENTITY, ssl-ca=<path> and socket=<path> are read.";

// Parts that cannot be decoded make the whole no URL: a driver would stumble over them later, and quote them.
function parsed(text: string): URL | null {
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  const isRead = [url.username, url.password, url.pathname].every((part) => decoded(part) !== null);
  return isRead ? url : null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
