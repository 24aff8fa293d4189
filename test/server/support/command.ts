import { cli } from "../../../server/cli/cli.ts";
import { clean, plainJson, type Terminal } from "../../../server/cli/terminal.ts";
import type { ChildServer } from "./child-server.ts";

/** How a command ended, and what it wrote. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a command in this process, on the database of a running server, where nobody can be asked.
 *
 * @param variables - settings besides its secret, port and database
 */
export async function command(
  server: Pick<ChildServer, "folder" | "port">,
  secret: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const written = { out: "", err: "" };
  const lines = (texts: readonly string[]): string => texts.map((text) => `${clean(text)}\n`).join("");
  const terminal: Terminal = {
    environment: {
      SECRET_KEY: secret,
      PORT: String(server.port),
      DATABASE_URL: `sqlite://${server.folder}/data/latchkey.db`,
      ...variables,
    },
    say: (...texts) => {
      written.out += lines(texts);
    },
    json: (value) => {
      written.out += `${plainJson(value)}\n`;
    },
    complain: (...texts) => {
      written.err += lines(texts);
    },
    readAll: async () => "",
    during: (work) => work(() => {}),
    isInteractive: false,
  };
  return { code: await cli(args, terminal), ...written };
}
