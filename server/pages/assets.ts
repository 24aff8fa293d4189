import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Hono } from "hono";

/** A static file. Its URL names its content, so whoever has it never has to ask again. */
interface Asset {
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

/** The one stylesheet. */
export const stylesheet: Asset = asset("latchkey.css", "text/css; charset=utf-8");
/** The mark in the browser's tab. */
export const icon: Asset = asset("icon.svg", "image/svg+xml");

/** Serves the static files. */
export function serveAssets(app: Hono): void {
  for (const { path, type, body } of [stylesheet, icon]) {
    const headers = {
      "Content-Type": type,
      "Cache-Control": "public, max-age=31536000, immutable",
      "X-Content-Type-Options": "nosniff",
    };
    app.get(path, () => new Response(body, { headers }));
  }
}

function asset(file: string, type: string): Asset {
  const body = readFileSync(new URL(`./assets/${file}`, import.meta.url), "utf8");
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const [name, extension] = file.split(".");
  return { path: `/assets/${name}.${hash}.${extension}`, type, body };
}
