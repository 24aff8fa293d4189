import type { Principal } from "latchkey";
import { icon, stylesheet } from "./assets.ts";
import { type Html, html } from "./html.ts";
import { impersonationBanner } from "./impersonation.ts";

/** Where the parts of the frame around a page lead. */
export interface Frame {
  readonly appPath: string;
  readonly loginPath: string;
  /** Where the page is. */
  readonly path: string;
  /** Who is looking; null where the page is the same for everybody. */
  readonly principal: Principal | null;
  /** CSRF token for the banner's button; null where nobody acts in another's place. */
  readonly stopToken: string | null;
}

/** What is in the frame. */
export interface Content {
  readonly title: string;
  readonly isError: boolean;
  readonly main: Html;
}

/** A whole document. It has no script and no style of its own: the Content-Security-Policy permits neither. */
export function layout({ title, isError, main }: Content, frame: Frame): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${isError ? "Error: " : ""}${title} · Latchkey</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f1ea">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#171510">
<link rel="stylesheet" href="${stylesheet.path}">
<link rel="icon" type="image/svg+xml" href="${icon.path}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<div>
${impersonationBanner(frame.principal, frame.stopToken)}
<header class="site-header">
<a class="brand" href="/">${mark()}<span>Latchkey</span></a>
${navigation(frame)}
</header>
</div>
<main id="main" tabindex="-1">
${main}
</main>
<footer class="site-footer">
<p>Guarded by Latchkey</p>
<p><a href="/problems">What error codes mean</a></p>
</footer>
</body>
</html>`;
}

function navigation({ principal, appPath, path }: Frame): Html {
  if (!principal?.isAuthenticated) return html``;
  const link = (to: string, words: string): Html =>
    html`<li><a href="${to}"${to === path && html` aria-current="page"`}>${words}</a></li>`;
  return html`<nav class="site-nav" aria-label="Main">
<ul>
${link(appPath, "Dashboard")}
${link("/account", "Account")}
${link("/logout", "Sign out")}
</ul>
</nav>`;
}

/** A key, seen from the side: bow, shaft and two teeth. */
function mark(): Html {
  return html`<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
<path d="M10.5 8a8 8 0 1 0 7.6 10.5H21v4h3.5v-4h2.25V23h3.25v-9.500H18.100A8 8 0 0 0 10.500 8Zm0 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z"/>
</svg>`;
}
