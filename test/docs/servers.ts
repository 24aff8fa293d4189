import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Example } from "../../examples/example.ts";
import { createLog } from "../../server/log.ts";
import { serve } from "../../server/serve.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { root } from "./documents.ts";
import { readmeServer } from "./readme-server.ts";

/** A server that the commands of a page are sent to. */
export interface PageServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * The server that a document speaks of, at any port: the README's own program, the example that a page lies beside, else the reference
 * server. Its data is new, in the working directory.
 */
export async function serverOf(document: string): Promise<PageServer> {
  if (document === "README.md") return readmeServer(process.cwd());
  const example = /^examples\/([^/]+)\/README\.md$/.exec(document)?.[1];
  return example === undefined ? referenceServer() : exampleServer(example);
}

async function referenceServer(): Promise<PageServer> {
  const { settings } = readSettings({ PORT: "0", HOST: "127.0.0.1", ORIGIN: "http://localhost:3000" });
  const { address, stop } = await serve(settings, createLog({ level: "silent" }));
  return { port: Number(new URL(address).port), stop };
}

async function exampleServer(name: string): Promise<PageServer> {
  const folder = join(process.cwd(), "data");
  await mkdir(folder);
  const { start }: Example = await import(join(root, "examples", name, "main.ts"));
  const { origin, close } = await start({ port: 0, folder });
  return { port: Number(new URL(origin).port), stop: close };
}
