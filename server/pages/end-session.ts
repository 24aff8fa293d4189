import { AuthError } from "latchkey";
import { onward } from "./error-page.ts";
import { errorSummary, hidden } from "./fields.ts";
import { blank, type FormState, formAgain } from "./form.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { formOfLink, fromLink, mailOf, opened, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "end-session";

/** The page behind the link of a mail about a sign-in. */
export async function showEndSession(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  mailOf(call);
  if (query.get("done") === "1") return donePage(call);
  const moved = fromLink(call, "/end-session", () => useless(call));
  if (moved !== null) return moved;
  const token = auth.forms.readMailed(visit);
  return token === null ? useless(call) : endPage(call, token, blank());
}

/** Ends it. */
export async function submitEndSession(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless(call);
  try {
    await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
    await mail.endSession(token, visit);
    return seeOther("/end-session?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(call, thrown, fields, (state) => endPage(call, token, state));
  }
}

async function endPage(call: PageCall, mailed: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { endSession: words } = language.words;
  const user = await opened((token) => mailOf(call).openEndSession(token), mailed);
  if (user === null) return useless(call);
  const { token, change } = await auth.forms.token(formOfLink(formName, mailed), visit);
  return {
    kind: "document",
    page: "end-session",
    title: words.title,
    heading: words.heading,
    lead: html`<p class="lead breakable">${fill(words.lead, { user: user.username })}</p>`,
    messages: errorSummary(call, state, []),
    form: html`<form method="post" action="/end-session" novalidate>
${hidden("_token", token)}
<button class="primary" type="submit">${words.title}</button>
</form>`,
    aside: html`<p class="aside">${words.you}</p>`,
    change: change ?? undefined,
  };
}

function donePage({ language }: PageCall): DocumentReply {
  const { endSession: words } = language.words;
  return {
    kind: "document",
    page: "end-session",
    title: words.doneTitle,
    lead: html`<p>${words.done}</p>`,
    form: onward("/reset?new=1", words.choose),
  };
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: whatToDo } = call.language.words.endSession;
  return uselessLink(call, { page: "end-session", title }, whatToDo);
}
