import { AuthError, isLoopback } from "latchkey";
import type { ShownMail, ShownMails } from "../mail/shown-mails.ts";
import { type Html, html } from "./html.ts";
import type { DocumentReply, PageCall } from "./page.ts";
import { moment } from "./words.ts";

/**
 * The mails that are shown instead of being sent, to who sits at this machine. Whoever reads them owns every account: so a page of
 * another site, which may have had its name lead here, is told as little as another machine.
 *
 * @throws AuthError `not_found` - for everybody else, and where mails are sent
 */
export function showDevMails(call: PageCall): DocumentReply {
  const mails = readable(call).list();
  const main = html`<div class="wide">
<h1>Mails of this server</h1>
<p class="lead">No mail server is set up, so mails stay here, in memory, the newest 100 of them. This page is for this machine alone.</p>
${mails.length === 0 ? html`<p>None so far.</p>` : html`<ul class="sessions">${mails.map((mail) => line(mail, call.now))}</ul>`}
</div>`;
  return { kind: "document", title: "Mails of this server", main };
}

/** One of them, as text. @throws AuthError `not_found` */
export function showDevMail(call: PageCall): DocumentReply {
  const mail = readable(call).find(Number(call.path.split("/").at(-1)));
  if (mail === null) throw new AuthError("not_found");
  const main = html`<div class="wide">
<p><a href="/dev/mail">All mails</a></p>
<h1>${mail.subject}</h1>
<p class="lead breakable">From ${mail.from}, to ${mail.to}, ${moment(mail.at, call.now)}</p>
<div class="mail-text breakable">${withLinks(mail.text)}</div>
</div>`;
  return { kind: "document", title: mail.subject, main };
}

function readable({ shownMails, auth, visit }: PageCall): ShownMails {
  const { ip } = visit.client;
  const isHere = ip !== null && isLoopback(ip.includes(":") ? `[${ip}]` : ip);
  const isOurName = isLoopback(new URL(visit.request.url).hostname);
  if (shownMails === null || auth.config.isProduction || !isHere || !isOurName)
    throw new AuthError("not_found");
  return shownMails;
}

function line({ number, to, subject, at }: ShownMail, now: Date): Html {
  return html`<li class="session"><p class="device"><a href="/dev/mail/${number}">${subject}</a></p>
<p class="meta"><span class="breakable">${to}</span> ${moment(at, now)}</p></li>`;
}

function withLinks(text: string): Html[] {
  return text
    .split(/(https?:\/\/[^\s)）]+)/)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : html`${part}`));
}
