import { AuthError } from "latchkey";
import { errorSummary, hidden } from "./fields.ts";
import { blank, type FormState, formAgain } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, mailOf, opened, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "end-session";
const title = "End the session";

/** The page behind the link of a mail about a sign-in. */
export async function showEndSession(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  mailOf(call);
  if (query.get("done") === "1") return donePage();
  const moved = fromLink(call, "/end-session", useless);
  if (moved !== null) return moved;
  const token = auth.forms.readMailed(visit);
  return token === null ? useless() : endPage(call, token, blank());
}

/** Ends it. */
export async function submitEndSession(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless();
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    await mail.endSession(token, visit);
    return seeOther("/end-session?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    return formAgain(thrown, fields, (state) => endPage(call, token, state));
  }
}

async function endPage(call: PageCall, mailed: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit } = call;
  const user = await opened((token) => mailOf(call).openEndSession(token), mailed);
  if (user === null) return useless();
  const { token, change } = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>Was that not you?</h1>
<p class="lead breakable">The session that the mail tells of, in the account ${user.username}, ends at once.</p>
${errorSummary(state, [])}
<form method="post" action="/end-session" novalidate>
${hidden("_token", token)}
<button class="primary" type="submit">End the session</button>
</form>
<p class="aside">Was it you? Then close this page, and nothing changes.</p>
</div>`;
  return { kind: "document", title, main, change: change ?? undefined };
}

function donePage(): DocumentReply {
  const main = html`<div class="card">
<h1>The session has ended</h1>
<p>Whoever that was knew your password. Choose another one now: it ends every other session, too.</p>
<p><a class="button primary" href="/reset?new=1">Choose a new password</a></p>
</div>`;
  return { kind: "document", title: "The session has ended", main };
}

function useless(): DocumentReply {
  const life = "The link in a mail about a sign-in works once, and for seven days.";
  return uselessLink(title, `${life} Your account page lists your sessions, and ends them.`);
}
