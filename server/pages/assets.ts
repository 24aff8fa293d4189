import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Hono } from "hono";

/** A static file. Its URL names its content, so whoever has it never has to ask again. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** What pages look like. */
export interface Look {
  /** In the order in which they count: the last one has the last word. */
  readonly stylesheets: readonly Asset[];
  /** The mark in the browser's tab. */
  readonly icon: Asset;
  /** The mark in front of the site's name; null: the key. */
  readonly logo: Asset | null;
}

/** How the pages look by themselves. */
export const usualLook: Look = {
  stylesheets: [own("latchkey.css", "text/css; charset=utf-8")],
  icon: own("icon.svg", "image/svg+xml"),
  logo: null,
};

/** Serves the static files. */
export function serveAssets(app: Hono, { stylesheets, icon, logo }: Look): void {
  for (const { path, type, body } of [...stylesheets, icon, ...(logo === null ? [] : [logo])]) {
    const headers = {
      "Content-Type": type,
      "Cache-Control": "public, max-age=31536000, immutable",
      "X-Content-Type-Options": "nosniff",
    };
    app.get(path, () => new Response(body, { headers }));
  }
}

/** A file under an address that names its content. */
export function asset(file: string, type: string, body: Asset["body"]): Asset {
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const [name, extension] = file.split(".");
  return { path: `/assets/${name}.${hash}.${extension}`, type, body };
}

function own(file: string, type: string): Asset {
  return asset(file, type, readFileSync(new URL(`./assets/${file}`, import.meta.url), "utf8"));
}
