import { AuthError, type ErrorRow, errorTable } from "latchkey";
import { explanations } from "./explanations.ts";
import { type Html, html } from "./html.ts";
import type { DocumentReply } from "./page.ts";

/** Every error code, in the order of the statuses. */
export function showProblems(): DocumentReply {
  const main = html`<div class="wide">
<h1>What error codes mean</h1>
<p class="lead">Programs find a code in <code>code</code> of a problem document (RFC 9457) and decide on that, never on a message.</p>
<ul class="codes">
${inOrder().map(({ code, status, message }) => html`<li><a href="/problems/${code}"><code>${code}</code></a> <span class="badge">${status}</span> <p class="reason">${message}</p></li>`)}
</ul>
</div>`;
  return { kind: "document", title: "What error codes mean", main };
}

/** What one code means. @throws AuthError `not_found` for what is no code */
export function showProblem(code: string): DocumentReply {
  const row = errorTable().find((each) => each.code === code);
  if (row === undefined) throw new AuthError("not_found");
  const main = html`<div class="wide">
<p class="above"><a href="/problems">What error codes mean</a></p>
<h1 class="breakable"><code>${row.code}</code></h1>
<p class="lead"><span class="badge">${row.status}</span> ${row.message}</p>
<p>${withCode(explanations[row.code])}</p>
</div>`;
  return { kind: "document", title: row.code, main };
}

function inOrder(): readonly ErrorRow[] {
  return [...errorTable()].sort((a, b) => a.status - b.status);
}

// `words` between backquotes are names of the wire.
function withCode(text: string): Html[] {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
