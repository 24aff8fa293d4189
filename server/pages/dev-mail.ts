import { AuthError } from "latchkey";
import type { ShownMail, ShownMails } from "../mail/shown-mails.ts";
import { isFromThisMachine } from "../this-machine.ts";
import { type Html, html } from "./html.ts";
import { englishLanguage } from "./language/language.ts";
import type { DocumentReply, PageCall } from "./page.ts";
import { moment } from "./words.ts";

/**
 * The mails that are shown instead of being sent, to who sits at this machine. Whoever reads them owns every account: so a page of
 * another site, which may have had its name lead here, is told as little as another machine, and as who comes through a proxy.
 *
 * @throws AuthError `not_found` - for everybody else, and where mails are sent
 */
export function showDevMails(call: PageCall): DocumentReply {
  const mails = readable(call).list();
  return {
    ...developers,
    title: "Mails of this server",
    lead: html`<p class="lead">No mail server is set up, so mails stay here, in memory, the newest 100 of them. This page is for this machine alone.</p>`,
    form: mails.length === 0 ? html`<p>None so far.</p>` : html`<ul class="sessions">${mails.map(line)}</ul>`,
  };

  function line({ number, to, subject, at }: ShownMail): Html {
    return html`<li class="session"><p class="device"><a href="/dev/mail/${number}">${subject}</a></p>
<p class="meta"><span class="breakable">${to}</span> ${when(at, call)}</p></li>`;
  }
}

/** One of them, as text. @throws AuthError `not_found` */
export function showDevMail(call: PageCall): DocumentReply {
  const mail = readable(call).find(Number(call.path.split("/").at(-1)));
  if (mail === null) throw new AuthError("not_found");
  return {
    ...developers,
    title: mail.subject,
    above: html`<p><a href="/dev/mail">All mails</a></p>`,
    lead: html`<p class="lead breakable">From ${mail.from}, to ${mail.to}, ${when(mail.at, call)}</p>`,
    form: html`<div class="mail-text breakable">${withLinks(mail.text)}</div>`,
  };
}

// A developer's tool is in English, and nobody's to replace.
const developers = { kind: "document", page: null, isWide: true, lang: "en" } as const;

function when(at: Date, { now }: PageCall): Html {
  return moment(at, { now, language: englishLanguage });
}

function readable({ shownMails, auth, visit }: PageCall): ShownMails {
  const { headers, url } = visit.request;
  const peer = visit.client.ip;
  const isHere = isFromThisMachine({ peer, host: new URL(url).host, header: (name) => headers.get(name) });
  if (shownMails === null || auth.config.isProduction || !isHere) throw new AuthError("not_found");
  return shownMails;
}

function withLinks(text: string): Html[] {
  return text
    .split(/(https?:\/\/[^\s)）]+)/)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : html`${part}`));
}
