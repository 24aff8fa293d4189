import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { cli } from "../../server/cli/cli.ts";
import { clean, plainJson, type Terminal } from "../../server/cli/terminal.ts";

/** The command line of the server for shells that are started from here, without a process for each command. */
export interface CommandLine {
  /** A program for a folder on `PATH`: it asks this process, which has everything loaded already. */
  readonly script: string;
  close(): Promise<void>;
}

/**
 * Answers commands at a socket. They run in this process's working directory, with the environment and the standard input of the shell.
 *
 * @param socket - path of the socket
 */
export async function openCommandLine(socket: string): Promise<CommandLine> {
  const server = createServer(async (request, response) => {
    response.end(await answer(await buffer(request)));
  });
  server.listen(socket);
  await once(server, "listening");
  return {
    script: `#!/usr/bin/env bash
answer=$({ printf '%s\\0' "$#" "$@"; env -0; printf '\\0'; cat; } |
  curl --silent --show-error --disable --unix-socket '${socket}' --data-binary @- http://command-line/) || exit 9
eval "$answer"
`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Runs what a shell asks for, and answers with what the shell has to do: print, complain, end. */
async function answer(asked: Buffer): Promise<string> {
  const [count = "", ...parts] = asked.toString("utf8").split("\0");
  const args = parts.slice(0, Number(count));
  const rest = parts.slice(args.length);
  const end = rest.indexOf("");
  const pairs = rest.slice(0, end).map((pair): [string, string] => {
    const [name = "", ...value] = pair.split("=");
    return [name, value.join("=")];
  });
  if (args[0] === "serve") return "echo 'serve does not end: show it as console' >&2; exit 2";
  const written = { out: "", err: "" };
  const input = rest.slice(end + 1).join("\0");
  const code = await cli(args, terminal(Object.fromEntries(pairs), input, written));
  return `printf %s ${quoted(written.out)}; printf %s ${quoted(written.err)} >&2; exit ${code}`;
}

function terminal(
  environment: Record<string, string>,
  input: string,
  written: { out: string; err: string },
): Terminal {
  const text = (lines: readonly string[]): string => lines.map((line) => `${clean(line)}\n`).join("");
  return {
    environment,
    say: (...lines) => {
      written.out += text(lines);
    },
    json: (value) => {
      written.out += `${plainJson(value)}\n`;
    },
    complain: (...lines) => {
      written.err += text(lines);
    },
    readAll: async () => input,
    during: (work) => work(() => {}),
    isInteractive: false,
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
