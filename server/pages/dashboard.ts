import type { SignedIn } from "latchkey";
import { html } from "./html.ts";
import type { DocumentReply, PageCall } from "./page.ts";
import { moment } from "./words.ts";

const snippet = `const { handle, protect } = hono<Context>(auth);
app.use(handle);
app.get("/hello", protect((c, { displayName }) => c.text(\`Hello, \${displayName}\`)));`;

/** Where a signed-in person starts, until an application of one's own stands here. */
export async function showDashboard({ auth, principal, now }: PageCall<SignedIn>): Promise<DocumentReply> {
  const { user, displayName, authTime } = principal;
  const sessions = await auth.sessions.list(user.id);
  const devices = sessions.length === 1 ? "on this device only" : `on ${sessions.length} devices`;
  const main = html`<div class="wide">
<h1 class="breakable">Welcome, ${displayName}!</h1>
<p class="lead breakable">You signed in as ${user.email} ${moment(authTime, now)}${user.isSuperuser && html`, and you are an administrator`}.</p>
<ul class="tiles">
<li><a class="tile" href="/account"><strong>Your account</strong><span>Name, username, email and password</span></a></li>
<li><a class="tile" href="/account#sessions"><strong>Your sessions</strong><span>You are signed in ${devices}</span></a></li>
<li><a class="tile" href="${auth.config.basePath}/openapi.json"><strong>The API</strong><span>Every route, as OpenAPI 3.1</span></a></li>
</ul>
<section class="panel" aria-labelledby="what">
<h2 id="what">What this is</h2>
<p>This page stands where your application will: people come here after signing in (<code>APP_PATH</code>). Latchkey
knows who they are; your own routes ask it in three lines.</p>
<pre tabindex="0" role="region" aria-label="A protected route in Hono"><code>${snippet}</code></pre>
</section>
</div>`;
  return { kind: "document", title: "Dashboard", main };
}
