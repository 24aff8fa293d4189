import { AuthError, readBody } from "latchkey";
import type { HonoContext } from "latchkey/hono";
import type { Fields, PageRequest } from "./page.ts";

/** The request of a context, as pages and the pipeline read it. */
export function pageRequest({ req }: HonoContext, maxBodyBytes: number): PageRequest {
  let read: Promise<Fields> | null = null;
  const fields = (): Promise<Fields> => {
    read ??= readForm(req.raw, maxBodyBytes);
    return read;
  };
  return {
    method: req.method,
    url: req.url,
    headers: req.raw.headers,
    fields,
    formField: async (name) => (await fields())[name] ?? null,
  };
}

/** The same request as the browser's next one will be: with the session that has just been given to it. */
export function withSession(
  request: PageRequest,
  cookie: { readonly name: string; readonly token: string },
): PageRequest {
  const headers = {
    get: (name: string) =>
      name.toLowerCase() === "cookie" ? `${cookie.name}=${cookie.token}` : request.headers.get(name),
  };
  return { ...request, headers };
}

// A page's form is the one thing that may be posted to it: JSON has routes of its own.
async function readForm(request: Request, maxBodyBytes: number): Promise<Fields> {
  const type = request.headers.get("content-type");
  if (type !== null && !/^application\/x-www-form-urlencoded(?:\s*;|$)/i.test(type)) {
    throw new AuthError("unsupported_media_type", { message: "Send a form." });
  }
  const body = await readBody(request, maxBodyBytes);
  return body as Fields;
}
