import { chmodSync, lstatSync, mkdirSync, type Stats, statSync } from "node:fs";

/** Windows has no modes, and who may do what in a folder comes from the one above it. */
const hasModes = process.platform !== "win32";

/**
 * Makes a folder where it is missing, and closes it to everybody but this user: who may write where sessions are signs in as anybody.
 *
 * @throws Error - it is another user's, or cannot be closed
 */
export function closedFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (hasModes) close(path, statSync(path));
}

/**
 * The same for a folder of which everything is believed.
 *
 * @throws Error - also where it is a link, or was open to what others write: they may have left sessions in it
 */
export function trustedFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (found.isSymbolicLink()) throw new Error(`${path} is a link: sessions lie in the folder itself`);
  if (!hasModes) return;
  if ((found.mode & 0o022) !== 0)
    throw new Error(`${path} was open to other users, who may have put sessions there: empty it`);
  close(path, found);
}

function close(path: string, { uid }: Stats): void {
  const own = process.getuid?.();
  if (uid !== own)
    throw new Error(
      `${path} belongs to user ${uid}, and this is ${own}: choose a folder below it, or another`,
    );
  // Whatever the process's umask.
  chmodSync(path, 0o700);
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Error(`${path} cannot be closed to other users: its file system keeps no modes`);
}
