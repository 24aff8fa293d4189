import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command, Example, Started } from "./example.ts";

/** The examples: what each shows, and its program, which is loaded when it is asked for. */
const examples: Readonly<Record<string, { readonly shows: string; load(): Promise<Example> }>> = {
  api: {
    shows: "node:http: an API with JSON Web Tokens, forms and sessions",
    load: () => import("./api/main.ts"),
  },
  backends: {
    shows: "Express: session, token, API key and a proof of its own in one chain",
    load: () => import("./backends/main.ts"),
  },
  pages: { shows: "Hono: pages for sign-in and registration, guards", load: () => import("./pages/main.ts") },
  saas: {
    shows: "the reference server with Redis, tiers and routes of its own",
    load: () => import("./saas/main.ts"),
  },
  service: {
    shows: "Fastify: authentication as a service made of parts",
    load: () => import("./service/main.ts"),
  },
};

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
/** A second signal is impatience; one that comes this soon is the same key press, which npm passes on once more. */
const samePressMs = 500;

process.exitCode = await main(process.argv.slice(2));

async function main([name, command, ...words]: readonly string[]): Promise<number> {
  const chosen = name !== undefined && Object.hasOwn(examples, name) ? examples[name] : undefined;
  if (name === undefined || chosen === undefined) return help(name);
  try {
    const port = portFrom(process.env.PORT);
    const folder = process.env.DATA_FOLDER ?? join("data", "examples", name);
    mkdirSync(folder, { recursive: true });
    const { start, commands = {} } = await chosen.load();
    if (command !== undefined) {
      console.log(await commandOf(name, commands, command)({ folder }, words));
      return 0;
    }
    const started = await start({ port, folder });
    endOnSignals(started);
    console.log([`${name} is at ${started.origin}`, "Try:", ...started.toTry.map(indented)].join("\n"));
    return 0;
  } catch (error) {
    console.error(reason(error));
    // What has started already, a server that listens say, must not go on without the rest.
    process.exit(1);
  }
}

function help(name: string | undefined): number {
  const lines = Object.entries(examples).map(([known, { shows }]) => `  ${known.padEnd(9)} ${shows}`);
  if (name !== undefined) console.error(`There is no example "${name}".`);
  console.error(["Usage: npm run example <name>", ...lines, "PORT is 3000 unless it is set."].join("\n"));
  return 2;
}

function commandOf(name: string, commands: NonNullable<Example["commands"]>, typed: string): Command {
  const command = Object.hasOwn(commands, typed) ? commands[typed] : undefined;
  if (command !== undefined) return command;
  const known = Object.keys(commands).join(", ");
  throw new Error(`${name} has no command "${typed}"${known === "" ? "" : `; it has ${known}`}.`);
}

function portFrom(text = "3000"): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new Error(`PORT: a number from 0 to 65535, not "${text}"`);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === "EADDRINUSE") return `Port ${port} is taken: choose another one with PORT.`;
  return process.env.DEBUG === undefined ? error.message : (error.stack ?? error.message);
}

function endOnSignals(started: Started): void {
  let firstAt: number | null = null;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (firstAt !== null && performance.now() - firstAt > samePressMs) process.exit(exitCodes[signal]);
      if (firstAt !== null) return;
      firstAt = performance.now();
      started.close().then(
        () => process.exit(0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}

function indented(line: string): string {
  return `  ${line}`;
}
