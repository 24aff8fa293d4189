import { html } from "hono/html";
import type { Config, Principal, SessionData } from "latchkey";

/** A piece of HTML: what `html` makes escapes everything that is put into it. */
export type Html = ReturnType<typeof html>;

/** Whose page it is: what `protect` hands to every handler. */
export interface Reader {
  readonly principal: Principal;
  readonly session: SessionData;
}

/** Makes a whole page, with the current user in its header. */
export type Layout = (reader: Reader, title: string, main: Html) => Html;

/** The layout of a site. */
export function layoutOf(config: Config): Layout {
  return ({ principal, session }, title, main) => html`<!doctype html>
<html lang="en" data-theme="${session.get("theme") ?? "system"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Pages</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<a class="brand" href="/">Pages</a>
<nav aria-label="Main">${currentUser(principal, config)}</nav>
</header>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>`;
}

function currentUser({ isAuthenticated, displayName }: Principal, { appPath, loginPath }: Config): Html {
  return isAuthenticated
    ? html`<span>Welcome, ${displayName}!</span> <a href="${appPath}">Dashboard</a> <a href="/logout">Logout</a>`
    : html`<a href="${loginPath}">Login</a> <a href="/register">Register</a>`;
}

/** A labelled input, with what is wrong with it beside it. */
export function field(input: {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "password";
  readonly autocomplete: string;
  readonly value?: string;
  readonly error?: string | undefined;
}): Html {
  const { name, label, type = "text", autocomplete, value = "", error } = input;
  const invalid = error === undefined ? "" : html` aria-invalid="true" aria-describedby="${name}-error"`;
  return html`<div class="field">
<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${value}"${invalid}>
${error === undefined ? "" : html`<p class="error" id="${name}-error">${error}</p>`}
</div>`;
}

/** Goes into every form that somebody signed in may send: without it the request is refused. */
export function csrfField(token: string | null): Html {
  return token === null ? html`` : html`<input type="hidden" name="_token" value="${token}">`;
}
