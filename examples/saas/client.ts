import { readFileSync } from "node:fs";
import { Hono } from "hono";

const script = readFileSync(new URL("./client.js", import.meta.url), "utf8");
const style = `body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font-family: system-ui, sans-serif; }
output { overflow-wrap: anywhere; }
`;

// The server's own pages run no script, so this one names its own.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Client</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/client.css">
<script type="module" src="/client.js"></script>
<h1>A client in the browser</h1>
<form id="login">
  <p><label>Username <input name="username" autocomplete="username" required></label></p>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
  <button>Sign in</button>
</form>
<p><button id="key">Create a key</button> <button id="logout">Sign out</button></p>
<p role="status"><output id="said">Signed out</output></p>
`;

/** A page with the client for browsers in it. */
export function clientPage(): Hono {
  const app = new Hono();
  app.get("/client", (c) => c.html(page, 200, { "Content-Security-Policy": policy }));
  app.get("/client.js", (c) => c.body(script, 200, { "Content-Type": "text/javascript; charset=utf-8" }));
  app.get("/client.css", (c) => c.body(style, 200, { "Content-Type": "text/css; charset=utf-8" }));
  return app;
}
