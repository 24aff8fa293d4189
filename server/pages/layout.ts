import type { Principal } from "latchkey";
import type { Look } from "./assets.ts";
import { hidden } from "./fields.ts";
import { type Html, html } from "./html.ts";
import { impersonationBanner } from "./impersonation.ts";
import { ownName } from "./language/choose-locale.ts";
import { fillText } from "./language/fill.ts";
import type { Language } from "./language/language.ts";
import { languagePath } from "./language-switch.ts";

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
  readonly language: Language;
  /** What else the page can be read in, and where to come back to; null where that is not chosen here. */
  readonly languages: { readonly locales: readonly string[]; readonly next: string } | null;
  /** Stylesheets and marks. */
  readonly look: Look;
}

/** What is in the frame. */
export interface Content {
  readonly title: string;
  readonly isError: boolean;
  readonly main: Html;
}

/** The parts of the frame, each of which a template of one's own may put elsewhere. */
export interface FrameParts {
  /** For the browser's tab. */
  readonly title: string;
  readonly locale: string;
  /** Links to stylesheets and icon, for the head. */
  readonly head: Html;
  readonly skip: Html;
  readonly banner: Html;
  readonly brand: Html;
  readonly navigation: Html;
  readonly languages: Html;
  readonly footer: Html;
  readonly main: Html;
}

/** A frame in its parts. */
export function frameParts({ title, isError, main }: Content, frame: Frame): FrameParts {
  const { language, look } = frame;
  const { frame: words } = language.words;
  const text = isError ? fillText(words.errorTitle, { title }) : title;
  return {
    title: fillText(words.title, { title: text, site: words.site }),
    locale: language.locale,
    head: html`${look.stylesheets.map(({ path }) => html`<link rel="stylesheet" href="${path}">\n`)}<link rel="icon" type="${look.icon.type}" href="${look.icon.path}">`,
    skip: html`<a class="skip" href="#main">${words.skip}</a>`,
    banner: impersonationBanner(frame.principal, frame.stopToken, language),
    brand: html`<a class="brand" href="/">${look.logo === null ? mark() : html`<img class="mark" src="${look.logo.path}" alt="">`}<span>${words.site}</span></a>`,
    navigation: navigation(frame),
    languages: languageSwitch(frame),
    footer: html`<p>${words.footer}</p>
<p><a href="/problems">${words.codes}</a></p>`,
    main,
  };
}

/** A whole document. It has no script and no style of its own: the Content-Security-Policy permits neither. */
export function layout(parts: FrameParts): Html {
  return html`<!doctype html>
<html lang="${parts.locale}">
<head>
<meta charset="utf-8">
<title>${parts.title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f1ea">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#171510">
${parts.head}
</head>
<body>
${parts.skip}
<div>
${parts.banner}
<header class="site-header">
${parts.brand}
${parts.navigation}
</header>
</div>
<main id="main" tabindex="-1">
${parts.main}
</main>
<footer class="site-footer">
${parts.footer}
${parts.languages}
</footer>
</body>
</html>`;
}

function navigation({ principal, appPath, path, language }: Frame): Html {
  if (!principal?.isAuthenticated) return html``;
  const { frame: words } = language.words;
  const link = (to: string, text: string): Html =>
    html`<li><a href="${to}"${to === path && html` aria-current="page"`}>${text}</a></li>`;
  return html`<nav class="site-nav" aria-label="${words.main}">
<ul>
${link(appPath, words.dashboard)}
${link("/account", words.account)}
${link("/logout", words.signOut)}
</ul>
</nav>`;
}

/** Buttons and not links: nothing that merely opens an address changes anything. */
function languageSwitch({ languages, language }: Frame): Html {
  if (languages === null) return html``;
  const button = (locale: string): Html =>
    html`<button type="submit" name="language" value="${locale}" lang="${locale}"${locale === language.locale && html` aria-current="true"`}>${ownName(locale)}</button>`;
  return html`<form class="languages" method="post" action="${languagePath}" aria-label="${language.words.frame.language}">
${hidden("next", languages.next)}
${languages.locales.map(button)}
</form>`;
}

/** A key, seen from the side: bow, shaft and two teeth. */
export function mark(): Html {
  return html`<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
<path d="M10.5 8a8 8 0 1 0 7.6 10.5H21v4h3.5v-4h2.25V23h3.25v-9.500H18.100A8 8 0 0 0 10.500 8Zm0 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z"/>
</svg>`;
}
