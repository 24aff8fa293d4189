import type { IncomingMessage, ServerResponse } from "node:http";
import { type Body, readBody } from "latchkey";
import { type NodeListener, nodeRequest } from "latchkey/node";

const maxBodyBytes = 65_536;

/** The fields of a JSON body or a form that are text; others count as absent. */
export async function fieldsOf(request: IncomingMessage): Promise<Readonly<Record<string, string>>> {
  const body = (request as Parsed).body ?? (await readBody(nodeRequest(request), maxBodyBytes));
  return Object.fromEntries(Object.entries(body).filter(isText));
}

/** Reads the form before the listener does, so that its `_token` counts as the CSRF token. */
export function withForm(listener: NodeListener): NodeListener {
  return async (request, response) => {
    try {
      Object.assign(request, { body: await readBody(nodeRequest(request), maxBodyBytes) });
    } catch {
      // The listener will find no token.
      Object.assign(request, { body: {} });
    }
    await listener(request, response);
  };
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** After a form, so that reloading sends nothing twice. */
export function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { Location: to }).end();
}

interface Parsed extends IncomingMessage {
  readonly body?: Body;
}

function isText(field: [string, unknown]): field is [string, string] {
  return typeof field[1] === "string";
}
