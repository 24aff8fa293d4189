import { AuthError, type ErrorRow, errorTable } from "latchkey";
import { type Html, html } from "./html.ts";
import { fill } from "./language/fill.ts";
import type { DocumentReply, PageCall } from "./page.ts";

/** Every error code, in the order of the statuses. */
export function showProblems({ language: { words, tell } }: PageCall): DocumentReply {
  const lead = fill(words.codes.lead, { field: html`<code>code</code>` });
  const line = ({ code, status, message }: ErrorRow): Html =>
    html`<li><a href="/problems/${code}"><code>${code}</code></a> <span class="badge">${status}</span> <p class="reason">${tell(message)}</p></li>`;
  return {
    kind: "document",
    page: "problems",
    title: words.frame.codes,
    isWide: true,
    lead: html`<p class="lead">${lead}</p>`,
    form: html`<ul class="codes">
${inOrder().map(line)}
</ul>`,
  };
}

/** What one code means. @throws AuthError `not_found` for what is no code */
export function showProblem({ path, language }: PageCall): DocumentReply {
  const { words, tell, explanations } = language;
  const row = errorTable().find((each) => each.code === path.split("/").at(-1));
  if (row === undefined) throw new AuthError("not_found");
  return {
    kind: "document",
    page: "problem",
    title: row.code,
    heading: html`<code>${row.code}</code>`,
    isWide: true,
    above: html`<p class="above"><a href="/problems">${words.frame.codes}</a></p>`,
    lead: html`<p class="lead"><span class="badge">${row.status}</span> ${tell(row.message)}</p>`,
    form: html`<p>${withCode(explanations[row.code])}</p>`,
  };
}

function inOrder(): readonly ErrorRow[] {
  return [...errorTable()].sort((a, b) => a.status - b.status);
}

// `words` between backquotes are names of the wire.
function withCode(text: string): Html[] {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
