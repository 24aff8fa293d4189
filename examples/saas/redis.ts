import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A Redis that lives as long as the example. */
export interface Redis {
  readonly url: string;
  close(): Promise<void>;
}

/** Ports that are tried: another program may take one between its choice and the start of Redis. */
const mostPorts = 3;

/** Starts `redis-server` on a free port of this machine, with nothing kept on disk; null where it is not installed or does not start. */
export async function startRedis(choosePort: () => Promise<number> = freePort): Promise<Redis | null> {
  for (let tried = 0; tried < mostPorts; tried++) {
    const redis = await startOn(await choosePort());
    if (redis !== null) return redis;
  }
  return null;
}

async function startOn(port: number): Promise<Redis | null> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-saas-"));
  const settings = { bind: "127.0.0.1", port: String(port), save: "", appendonly: "no", dir: folder };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  // In a group of its own: an interrupt from the terminal is for the server, which ends its Redis last.
  const child = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const kill = (): void => void child.kill();
  process.once("exit", kill);
  const close = async (): Promise<void> => {
    process.off("exit", kill);
    if (child.exitCode === null && child.kill()) await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  };
  if (await isReady(child)) return { url: `redis://127.0.0.1:${port}`, close };
  await close();
  return null;
}

/** Waits until it takes connections; false where it ended instead, or never began. */
async function isReady(child: ChildProcess): Promise<boolean> {
  const failed = new Promise<false>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", () => resolve(false));
  });
  const ready = new Promise<true>((resolve) => {
    if (child.stdout === null) return;
    // Read on afterwards as well: a pipe that nobody reads would stop it one day.
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.includes("Ready to accept connections")) resolve(true);
    });
  });
  return Promise.race([ready, failed]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
