import type { Draft } from "../settings/draft.ts";
import type { Settings } from "../settings/settings.ts";

/** Something that was looked for: found, not to be had, or not there at all. */
export type Looked<T> =
  | { readonly state: "known"; readonly value: T }
  /** `why` completes "cannot be told: …". */
  | { readonly state: "unknown"; readonly why: string }
  /** `why` completes "no question: …". */
  | { readonly state: "absent"; readonly why: string };

/** Everything that checks look at. */
export interface Facts {
  readonly draft: Draft;
  /** What the draft stands for, also where it would be refused. */
  readonly settings: Settings;
  /** Warnings that a start prints. */
  readonly warnings: readonly string[];
  /** Settings whose value `.env` cuts off at a `#` that looks like a part of it. */
  readonly cut: readonly string[];
  /** Of this program. */
  readonly thisVersion: string;
  readonly machine: Looked<MachineFacts>;
  readonly database: Looked<DatabaseFacts>;
  readonly sessions: Looked<SessionServerFacts>;
  readonly server: Looked<ServerFacts>;
}

/** A file or folder. */
export interface FileFacts {
  readonly path: string;
  /** Permission bits; null where the system has none. */
  readonly mode: number | null;
}

/** This machine, and the files of the settings on it. */
export interface MachineFacts {
  readonly now: Date;
  /** `24.21.0` */
  readonly nodeVersion: string;
  readonly isRoot: boolean;
  readonly cores: number;
  readonly memoryBytes: number;
  /** `.env`; null where there is none. */
  readonly envFile: FileFacts | null;
  /** The secret that the machine made for itself; null where there is none. */
  readonly secretFile: FileFacts | null;
  /** The database with its side files; empty on other engines, and before the first start. */
  readonly databaseFiles: readonly FileFacts[];
  /** The folder of the database; null on other engines. */
  readonly databaseFolder: FileFacts | null;
  /** The folder of texts, styles and templates for the pages; null where there is none. */
  readonly pagesFolder: FileFacts | null;
  /** The folder of sessions in files; null for other backends. */
  readonly sessionFolder: FileFacts | null;
  /** The signing keys; null where tokens are signed with the secret. */
  readonly signingKeys: SigningKeyFacts | null;
  /** Where the data is; null where that cannot be told. */
  readonly disk: DiskFacts | null;
  /** What one password hash takes when nothing else is done, in milliseconds; null where it was not measured. */
  readonly hashMs: number | null;
  /** Files that the process may have open; null where that cannot be told. */
  readonly openFiles: number | null;
}

/** The file of signing keys. */
export interface SigningKeyFacts {
  /** Null: it is not there. */
  readonly file: FileFacts | null;
  /** Null where it cannot be read. */
  readonly keys:
    | readonly { readonly createdAt: Date; readonly signsFrom: Date; readonly retiresAt: Date | null }[]
    | null;
}

/** A file system. */
export interface DiskFacts {
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** What it is called where it is on another machine (`nfs`, `smb`), else null. */
  readonly network: string | null;
}

/** The database that DATABASE_URL names. */
export interface DatabaseFacts {
  readonly engine: "sqlite" | "postgres" | "mysql";
  /** `PostgreSQL 17.2` */
  readonly version: string;
  /** Whether this version gets repairs no more. */
  readonly isVersionOld: boolean;
  /** What is wrong with the schema; null where nothing is. */
  readonly schemaProblem: string | null;
  readonly missingIndexes: readonly string[];
  /** Its clock minus this machine's; null where they are one. */
  readonly clockSkewMs: number | null;
  /** Settings under which it says that something is kept which a crash may lose: `fsync = off`. */
  readonly undurable: readonly string[];
  /** Whether Latchkey's account there may do more than its work; null where there are no accounts. */
  readonly isPrivileged: boolean | null;
  readonly isReadOnly: boolean;
  /** Whether this connection is encrypted; null where it does not leave the machine. */
  readonly isEncrypted: boolean | null;
  /** What a check of the file found; null where nothing was, or where it was not made. */
  readonly damage: string | null;
  /** Connections that the server allows; null where that is no matter. */
  readonly maxConnections: number | null;
  /** What the tables say; null where the schema does not fit. */
  readonly content: ContentFacts | null;
}

/** What lies in the tables. */
export interface ContentFacts {
  readonly hasSuperuser: boolean;
  /** When the session that ended first, and is still there, ended; null where there is none. */
  readonly oldestEndedSession: Date | null;
  /** When the oldest mail that is due, and was tried before, was written. */
  readonly oldestStuckMail: Date | null;
  /** When the oldest row of the audit log that has no place in the chain was written. */
  readonly oldestUnsealedRow: Date | null;
  /** Names under which the log is kept until somebody was told of it. */
  readonly followers: readonly string[];
}

/** The server of the sessions, where they are in another engine than accounts. */
export interface SessionServerFacts {
  readonly backend: "redis" | "valkey" | "mongodb" | "memcached" | "file";
  /** Null where only an answer was asked for; then the rest is null, too. */
  readonly redis: RedisFacts | null;
}

/** A Redis or Valkey. */
export interface RedisFacts {
  readonly version: string;
  readonly policy: string;
  readonly clockSkewMs: number;
  /** Whether what it has outlives its process. */
  readonly isPersistent: boolean;
  /** Whether its last write to disk failed. */
  readonly hasFailedToSave: boolean;
  /** Share of the allowed memory that is taken, 0 to 1; null where none is set. */
  readonly memoryShare: number | null;
  readonly replicas: number;
  /** Replicas that have to hear of a write; null where the server does not say. */
  readonly minReplicas: number | null;
}

/** The running server, as it is reached. */
export interface ServerFacts {
  /** The address that was asked. */
  readonly url: string;
  /** Whether it was reached by the configured origin or another public address, and so through what stands in front. */
  readonly isByOrigin: boolean;
  /** Status of `/readyz`. */
  readonly readyStatus: number;
  /** Names in lower case, of the sign-in page's answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where `http://` in place of `https://` leads: `redirect`, `refused`, or `served`; null where it was not asked. */
  readonly overHttp: "redirect" | "refused" | "served" | null;
  /** Whether `/metrics` was answered to the doctor, which showed no token. */
  readonly hasOpenMetrics: boolean;
  /** What the server says of itself to who knows its secret; null where it says nothing. */
  readonly diagnosis: DiagnosisFacts | null;
}

/** What a running server says of itself and of the request that asked. */
export interface DiagnosisFacts {
  readonly version: string;
  readonly origin: string;
  /** The server's clock minus this machine's. */
  readonly clockSkewMs: number;
  /** Whether it was started with these settings. */
  readonly hasSameSettings: boolean;
  /** Who opened the connection to the server. */
  readonly peer: string;
  /** `X-Forwarded-For` as it came in, its addresses from left to right, without ports. */
  readonly forwardedFor: readonly string[];
  /** Who the server takes the client for. */
  readonly client: string | null;
  /** The address that the doctor wrote into `X-Forwarded-For` itself; null where it wrote none. */
  readonly forged: string | null;
  /** Addresses under which the first proxy may know this machine: all of its own where the proxy is on it, too. */
  readonly selves: readonly string[];
  /** Whether other headers of proxies came in, which nothing here reads: `forwarded`, `x-real-ip`. */
  readonly otherForwarding: readonly string[];
}
