import type { SignedIn } from "latchkey";
import { type Html, html } from "./html.ts";
import { fill, fillText, plural } from "./language/fill.ts";
import type { DocumentReply, PageCall } from "./page.ts";
import { moment } from "./words.ts";

const snippet = `const { handle, protect } = hono<Context>(auth);
app.use(handle);
app.get("/hello", protect((c, { displayName }) => c.text(\`Hello, \${displayName}\`)));`;

/** Where a signed-in person starts, until an application of one's own stands here. */
export async function showDashboard(call: PageCall<SignedIn>): Promise<DocumentReply> {
  const { principal, language, apiReference } = call;
  const { user, displayName, authTime, impersonator } = principal;
  const { dashboard: words } = language.words;
  const since = user.isSuperuser ? words.sinceAdministrator : words.since;
  const about = apiReference?.endsWith(".json") ? words.apiAbout : words.apiReference;
  return {
    kind: "document",
    page: "dashboard",
    title: words.title,
    heading: fillText(words.welcome, { user: displayName }),
    isWide: true,
    lead: html`<p class="lead breakable">${fill(since, { email: user.email, when: moment(authTime, call) })}</p>`,
    form: html`<ul class="tiles">
${tile("/account", words.account, words.accountAbout)}
${impersonator === null && tile("/account#sessions", words.sessions, await sessionsAbout(call))}
${apiReference !== null && tile(apiReference, words.api, about)}
</ul>
<section class="panel" aria-labelledby="what">
<h2 id="what">${words.what}</h2>
<p>${fill(words.whatAbout, { setting: html`<code>APP_PATH</code>` })}</p>
<pre tabindex="0" role="region" aria-label="${words.snippet}"><code>${snippet}</code></pre>
</section>`,
  };
}

async function sessionsAbout({ auth, principal, language }: PageCall<SignedIn>): Promise<string> {
  const { dashboard: words } = language.words;
  if (auth.config.session.mode !== "stateful") return words.sessionsUncounted;
  return plural(words.sessionsAbout, (await auth.sessions.list(principal.user.id)).length, language.locale);
}

function tile(href: string, title: string, about: string): Html {
  return html`<li><a class="tile" href="${href}"><strong>${title}</strong><span>${about}</span></a></li>`;
}
