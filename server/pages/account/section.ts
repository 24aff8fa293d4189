import type { CreatedApiKey, SignedIn } from "latchkey";
import { doneNotice, errorSummary } from "../fields.ts";
import { blank, type FormState } from "../form.ts";
import { type Html, html } from "../html.ts";
import type { DocumentReply, PageCall } from "../page.ts";
import { isStale, type ProofWays } from "./prove-again.ts";

/** The parts of the account page that have forms. */
export type SectionName = "profile" | "password" | "accounts" | "keys" | "sessions";

/** The account page as it is to be shown. */
export interface AccountView {
  readonly call: PageCall<SignedIn>;
  /** CSRF token for its forms. */
  readonly token: string;
  readonly ways: ProofWays;
  /** The form that was refused, in its section; null where none was. */
  readonly refused: { readonly section: SectionName; readonly state: FormState } | null;
  /** The API key that was just made: shown this once; null where none was. */
  readonly created: CreatedApiKey | null;
  /** What has just been done, as the address says it; null where nothing was. */
  readonly done: string | null;
}

/** Shows the account page again, with the form of a section that was refused (null: it was not), or a key that was made. */
export type ShowAgain = (
  call: PageCall<SignedIn>,
  section: SectionName,
  state: FormState | null,
  created?: CreatedApiKey | null,
) => Promise<DocumentReply>;

/** One part of the account page. */
export interface Section {
  readonly name: SectionName;
  readonly title: string;
  readonly lead: string;
  readonly fieldNames: readonly string[];
  /** What to say once it was done, by the word for it in the address. */
  readonly doneMessages: ReadonlyMap<string, string>;
}

/** The state of a section's form: as it was refused, or with what is known. */
export function stateOf({ refused }: AccountView, name: SectionName, known: FormState = blank()): FormState {
  return refused?.section === name ? refused.state : known;
}

/** Whether the form that comes back wants a fresh proof: a password, or for who has none a sign-in. */
export function wantsProof(view: AccountView, name: SectionName): boolean {
  const { values, errors, message } = stateOf(view, name);
  if (!view.ways.hasPassword) return message !== null && isStale(view.call);
  return "password" in values || errors.some(({ field }) => field === "password");
}

/** A section with its heading, its messages and its forms. */
export function section(
  view: AccountView,
  { name, title, lead, fieldNames, doneMessages }: Section,
  body: Html,
): Html {
  return html`<section class="panel split" id="${name}" aria-labelledby="${name}-title">
<div class="about">
<h2 id="${name}-title">${title}</h2>
<p>${lead}</p>
</div>
<div class="body">
${errorSummary(view.call, stateOf(view, name), fieldNames)}
${view.refused === null && doneNotice(doneMessages.get(view.done ?? ""))}
${body}
</div>
</section>`;
}
