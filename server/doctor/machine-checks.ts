import { type Check, checksOf, found, ok, skipped, unknown } from "./check.ts";
import type { FileFacts } from "./facts.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** The oldest Node that the server is for, and until when each line gets repairs. @see https://github.com/nodejs/release */
const oldestNode = [22, 18] as const;
const repairedUntil: Readonly<Record<number, string>> = {
  22: "2027-04-30",
  24: "2028-04-30",
  26: "2029-04-30",
};

/** Below this much room SQLite, PostgreSQL and the log begin to fail. */
const leastFreeBytes = 512 * 1_048_576;
/** Memory of one Argon2id hash as the server makes it. */
const hashBytes = 19_456 * 1_024;

/** Checks of this machine. */
export const machineChecks: readonly Check[] = checksOf("machine", [
  {
    id: "node-supported",
    title: "Node is a version that this server is for",
    severity: "error",
    check: ({ nodeVersion }) => {
      const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
      const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
      return isOld ? found(`Node ${nodeVersion}`, `Run Node ${oldestNode.join(".")} or newer.`) : ok;
    },
  },
  {
    id: "node-repaired",
    title: "Node is a version that gets security repairs",
    severity: "warning",
    scope: "production",
    check: ({ nodeVersion, now }) => {
      const major = Number(nodeVersion.split(".")[0]);
      const until = repairedUntil[major];
      if (until === undefined && major > 26)
        return unknown(`Node ${major} is newer than this version of Latchkey`);
      return until !== undefined && now < new Date(until)
        ? ok
        : found(`Node ${nodeVersion}, which gets none`, "Run a version with long-term support.");
    },
  },
  {
    id: "not-root",
    title: "The server does not run as root",
    severity: "warning",
    scope: "production",
    check: ({ isRoot }) =>
      isRoot ? found("user 0", "Run it as a user of its own; a port below 1024 is the proxy's.") : ok,
  },
  {
    id: "env-file-private",
    title: "`.env` can be read by its owner alone",
    severity: "error",
    scope: "production",
    check: ({ envFile }) => (envFile === null ? skipped("there is none") : isPrivate([envFile])),
  },
  {
    id: "secret-file-private",
    title: "The secret's file can be read by its owner alone",
    severity: "error",
    check: ({ secretFile }) => (secretFile === null ? skipped("there is none") : isPrivate([secretFile])),
  },
  {
    id: "database-files-private",
    title: "The database's files can be read by their owner alone",
    severity: "error",
    check: ({ databaseFiles }) =>
      databaseFiles.length === 0 ? skipped("there are none") : isPrivate(databaseFiles),
  },
  {
    id: "database-folder-own",
    title: "Nobody else may put files beside the database",
    severity: "error",
    check: ({ databaseFolder }) => isOwn(databaseFolder),
  },
  {
    id: "pages-folder-own",
    title: "Nobody else may change the pages",
    severity: "error",
    check: ({ pagesFolder }) => isOwn(pagesFolder),
  },
  {
    id: "session-folder-private",
    title: "The folder of the sessions is its owner's alone",
    severity: "error",
    check: ({ sessionFolder }) =>
      sessionFolder === null ? skipped("there is none") : isPrivate([sessionFolder]),
  },
  {
    id: "signing-keys-there",
    title: "The signing keys are there and can be read",
    severity: "error",
    check: ({ signingKeys }) => {
      if (signingKeys === null) return skipped("tokens are signed with the secret");
      if (signingKeys.file === null) return found("no file", "Run `latchkey signing-key create`.");
      return signingKeys.keys === null
        ? found(`${signingKeys.file.path} is no key file`, "Restore it from a backup.")
        : ok;
    },
  },
  {
    id: "signing-keys-private",
    title: "The signing keys can be read by their owner alone",
    severity: "error",
    check: ({ signingKeys }) =>
      signingKeys?.file == null ? skipped("there are none") : isPrivate([signingKeys.file]),
  },
  {
    id: "signing-key-current",
    title: "A signing key is in use, and none is past its end",
    severity: "error",
    check: ({ signingKeys, now }) => {
      if (signingKeys?.keys == null) return skipped("there are none");
      const { keys } = signingKeys;
      if (
        !keys.some(({ signsFrom, retiresAt }) => signsFrom <= now && (retiresAt === null || retiresAt > now))
      )
        return found(
          "none that signs now",
          "Run `latchkey signing-key rotate --publish-seconds 10`; ten seconds later the new one signs.",
        );
      const past = keys.filter(
        ({ retiresAt }) => retiresAt !== null && now.getTime() - retiresAt.getTime() > day,
      );
      return past.length === 0
        ? ok
        : found(`${past.length} past their end`, "Run `latchkey signing-key rotate`, which drops them.");
    },
  },
  {
    id: "signing-key-fresh",
    title: "The newest signing key was made within a year",
    severity: "warning",
    scope: "production",
    check: ({ signingKeys, now }) => {
      if (signingKeys?.keys == null || signingKeys.keys.length === 0) return skipped("there are none");
      const newest = Math.max(...signingKeys.keys.map(({ createdAt }) => createdAt.getTime()));
      const days = Math.floor((now.getTime() - newest) / day);
      return days <= 365 ? ok : found(`${days} days old`, "Run `latchkey signing-key rotate`.");
    },
  },
  {
    id: "disk-space",
    title: "There is room on the disk",
    severity: "error",
    check: ({ disk }) => {
      if (disk === null) return unknown("the system does not say");
      const share = disk.freeBytes / disk.totalBytes;
      return disk.freeBytes >= leastFreeBytes && share >= 0.02
        ? ok
        : found(
            `${Math.floor(disk.freeBytes / 1_048_576)} MiB free at ${disk.path}`,
            "Make room, or move the data: a full disk ends sign-ins first.",
          );
    },
  },
  {
    id: "disk-local",
    title: "SQLite is on a disk of this machine",
    severity: "error",
    check: ({ disk }, { settings }) => {
      if (settings.database.engine !== "sqlite") return skipped("the database is a server");
      if (disk === null) return unknown("the system does not say");
      return disk.network === null
        ? ok
        : found(
            `${disk.path} is on ${disk.network}`,
            "Move it to a local disk: locks over a network lose writes. Several machines need PostgreSQL or MySQL.",
          );
    },
  },
  {
    id: "hash-time",
    title: "A password hash takes less than half a second",
    severity: "warning",
    check: ({ hashMs }) => {
      if (hashMs === null) return unknown("it was not measured");
      return hashMs <= 500
        ? ok
        : found(
            `${Math.round(hashMs)} ms`,
            "Give the server more of a core: sign-ins queue behind each other.",
          );
    },
  },
  {
    id: "hash-threads-fit",
    title: "Hashes have cores and memory enough",
    severity: "warning",
    check: ({ cores, memoryBytes }, { settings: { hashThreads } }) => {
      const threads = hashThreads ?? cores;
      if (threads > 2 * cores)
        return found(`HASH_THREADS=${threads} on ${cores} cores`, `Write ${cores}, or leave it out.`);
      return threads * hashBytes <= memoryBytes / 2
        ? ok
        : found(`${threads} threads of 19 MiB`, "Write fewer HASH_THREADS, or give the machine more memory.");
    },
  },
  {
    id: "hash-queue-short",
    title: "Who waits for a hash waits no longer than ten seconds",
    severity: "warning",
    check: ({ hashMs, cores }, { settings: { hashThreads, hashQueue } }) => {
      if (hashMs === null) return unknown("it was not measured");
      const threads = hashThreads ?? cores;
      const seconds = ((hashQueue ?? 32 * threads) * hashMs) / Math.min(threads, cores) / 1_000;
      return seconds <= 10
        ? ok
        : found(
            `${Math.round(seconds)} s at a full queue`,
            "Write a smaller HASH_QUEUE: nobody waits that long.",
          );
    },
  },
  {
    id: "open-files",
    title: "The process may have enough connections open",
    severity: "warning",
    scope: "production",
    check: ({ openFiles }) => {
      if (openFiles === null) return unknown("the system does not say");
      return openFiles >= 1_024
        ? ok
        : found(`${openFiles} open files`, "Raise the limit: `ulimit -n 65536`.");
    },
  },
]);

/** Whoever may write there could put a form of their own in front of people. */
function isOwn(folder: FileFacts | null) {
  if (folder?.mode == null) return skipped("there is none");
  return (folder.mode & 0o022) === 0
    ? ok
    : found(`${folder.path} has mode ${octal(folder.mode)}`, `Run: chmod go-w ${word(folder.path)}`);
}

function isPrivate(files: readonly FileFacts[]) {
  const open = files.filter(({ mode }) => mode !== null && (mode & 0o077) !== 0);
  if (open.length === 0) return ok;
  const modes = open.map(({ path, mode }) => `${path} has mode ${octal(mode ?? 0)}`).join("; ");
  return found(modes, `Run: chmod go= ${open.map(({ path }) => word(path)).join(" ")}`);
}

/** A path as a shell takes it for one word. */
function word(path: string): string {
  return /^[\w./][\w./-]*$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
