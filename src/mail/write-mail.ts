import type { MailFacts, MailTemplates, MailText } from "./facts.ts";
import type { MailLocale } from "./locales.ts";
import { html, type Markup } from "./markup.ts";
import type { Wording, Words } from "./words.ts";
import { german } from "./words-de.ts";
import { english } from "./words-en.ts";
import { spanish } from "./words-es.ts";
import { japanese } from "./words-ja.ts";

const languages: Readonly<Record<MailLocale, Words>> = {
  en: english,
  de: german,
  es: spanish,
  ja: japanese,
};

/** Puts a mail into words: by the application's own template where there is one, else by the usual one. */
export function writeMail(facts: MailFacts, templates: MailTemplates = {}): MailText {
  return (templates[facts.purpose] ?? usual)(facts);
}

function usual(facts: MailFacts): MailText {
  const words = languages[facts.locale];
  const wording = words.mails[facts.purpose](facts);
  return {
    subject: wording.subject,
    text: textOf(facts, words, wording),
    html: documentOf(facts, words, wording).markup,
  };
}

/** A code in two groups, which are easier to carry from one window to another. */
function spaced(code: string): string {
  return `${code.slice(0, code.length / 2)} ${code.slice(code.length / 2)}`;
}

function textOf(facts: MailFacts, words: Words, { lead, button, rest }: Wording): string {
  const { link, code } = facts;
  const parts = [
    ...lead,
    ...(code === null ? [] : [`    ${spaced(code)}`]),
    ...(link === null || button === null ? [] : [`${button}:\n${link}`]),
    ...rest,
    `-- \n${words.footer(facts)}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

// Styles stand in the tags: many programs that show mail drop a style sheet. Colours are left to the program where they can be,
// so that it is read in the dark as well.
function documentOf(facts: MailFacts, words: Words, { subject, lead, button, rest }: Wording): Markup {
  const { link, code, locale } = facts;
  const paragraph = (text: string): Markup => html`<p style="margin:0 0 16px">${text}</p>
`;
  return html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${subject}</title>
</head>
<body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:34em;margin:0 auto">
<h1 style="font-size:20px;line-height:1.3;margin:0 0 16px">${subject}</h1>
${lead.map(paragraph)}${
  code !== null &&
  html`<p style="margin:0 0 16px;font:700 28px/1.3 ui-monospace,monospace;letter-spacing:2px">${spaced(code)}</p>
`
}${link !== null && button !== null && buttonOf(link, button, words)}${rest.map(paragraph)}<hr style="border:0;border-top:1px solid #888;margin:24px 0 16px">
<p style="margin:0;font-size:13px">${words.footer(facts)}</p>
</div>
</body>
</html>
`;
}

function buttonOf(link: string, button: string, words: Words): Markup {
  return html`<p style="margin:0 0 16px"><a href="${link}" style="display:inline-block;padding:10px 18px;border-radius:6px;background:#1d4f91;color:#ffffff;text-decoration:none;font-weight:600">${button}</a></p>
<p style="margin:0 0 16px;font-size:13px;word-break:break-all">${words.orOpen}<br>${link}</p>
`;
}
