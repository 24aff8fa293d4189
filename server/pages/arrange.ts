import { type Html, html } from "./html.ts";
import type { DocumentReply } from "./page.ts";

/** The usual arrangement of a page: a card with one thing to do, or the whole width. */
export function arrange({
  title,
  heading,
  isWide,
  lang,
  above,
  lead,
  messages,
  form,
  aside,
}: DocumentReply): Html {
  return html`<div class="${isWide ? "wide" : "card"}"${lang !== undefined && html` lang="${lang}"`}>
${above}
<h1${heading !== undefined && html` class="breakable"`}>${heading ?? title}</h1>
${lead}
${messages}
${form}
${aside}
</div>`;
}
