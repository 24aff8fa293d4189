import { readFileSync } from "node:fs";
import { Hono } from "hono";
import type { Auth } from "latchkey";
import { asset, type Look } from "../pages/assets.ts";
import { readDocument } from "./document.ts";
import { referencePage } from "./page.ts";

const css = "text/css; charset=utf-8";
const stylesheet = asset(
  "reference.css",
  css,
  readFileSync(new URL("./reference.css", import.meta.url), "utf8"),
);

/** Where the reference page is. */
export function referencePath({ config }: Pick<Auth, "config">): string {
  return `${config.basePath}/docs`;
}

/**
 * `GET {BASE_PATH}/docs`: every operation of this server with its shapes, examples and refusals, for reading. The same for
 * everybody, and no more than the OpenAPI document tells; made once, when somebody first asks.
 */
export function reference(auth: Auth, look: Look): Hono {
  const app = new Hono();
  const path = referencePath(auth);
  let made: Promise<string> | null = null;
  const make = async (): Promise<string> => {
    const document = await readDocument(auth);
    const { basePath } = auth.config;
    const stylesheets = [...look.stylesheets.slice(0, 1), stylesheet, ...look.stylesheets.slice(1)];
    return String(await referencePage({ document, basePath, look: { ...look, stylesheets } }));
  };
  app.on("GET", [path, `${path}/`], async () => {
    made ??= make();
    // One that could not be made is tried again by the next who asks.
    made.catch(() => {
      made = null;
    });
    const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache" };
    return new Response(await made, { headers });
  });
  app.get(stylesheet.path, () => {
    const headers = { "Content-Type": css, "Cache-Control": "public, max-age=31536000, immutable" };
    return new Response(stylesheet.body, { headers });
  });
  return app;
}
