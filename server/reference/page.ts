import type { Look } from "../pages/assets.ts";
import { type Html, html } from "../pages/html.ts";
import { mark } from "../pages/layout.ts";
import { jsonOf, type OpenApi, operationsOf, type Placed, type Schema } from "./document.ts";
import { curlOf, exampleOf } from "./example.ts";
import { type Field, shapesOf, typeOf } from "./shape.ts";

/** What the page is made of. */
export interface ReferenceParts {
  readonly document: OpenApi;
  /** Where its operations lie. */
  readonly basePath: string;
  readonly look: Look;
}

/** A reference of every operation: one document, without script, in which each has an address of its own. */
export function referencePage({ document, basePath, look }: ReferenceParts): Html {
  const origin = document.servers[0]?.url ?? "";
  const groups = document.tags.map((tag) => ({ ...tag, operations: operationsOf(document, tag.name) }));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>API reference · Latchkey</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${look.stylesheets.map(({ path }) => html`<link rel="stylesheet" href="${path}">\n`)}<link rel="icon" type="${look.icon.type}" href="${look.icon.path}">
</head>
<body class="reference">
<a class="skip" href="#main">Skip to content</a>
<header class="site-header">
<a class="brand" href="/">${look.logo === null ? mark() : html`<img class="mark" src="${look.logo.path}" alt="">`}<span>Latchkey</span></a>
<p><a href="${basePath}/openapi.json">OpenAPI document</a></p>
</header>
<div class="columns">
<nav class="contents" aria-label="Operations">
${groups.map(
  ({ name, operations }) => html`<details>
<summary>${name}</summary>
<ul>
${operations.map(({ method, path, operation }) => html`<li><a href="#${operation.operationId}"><span class="method">${method}</span> <span class="breakable">${path}</span></a></li>`)}
</ul>
</details>`,
)}
</nav>
<main id="main" tabindex="-1">
<h1>API reference</h1>
${introduction(document, origin + basePath)}
${groups.map(
  ({ name, description, operations }) => html`<section aria-labelledby="${idOf(name)}">
<h2 id="${idOf(name)}">${anchor(idOf(name), name)}</h2>
<p class="lead">${description}</p>
${operations.map((placed) => operationPart(placed, origin))}
</section>`,
)}
</main>
</div>
<footer class="site-footer">
<p>Made from this server's own OpenAPI document.</p>
<p><a href="/problems">What error codes mean</a></p>
</footer>
</body>
</html>`;
}

function introduction({ components }: OpenApi, base: string): Html {
  const { session, bearer } = components.securitySchemes;
  return html`<p class="lead">Bodies are JSON or forms, in UTF-8; times are RFC 3339. Refusals are problem documents (RFC 9457) with a stable <code>code</code>.</p>
<p>A browser's session travels in the cookie <code>${session?.name}</code>. With it, what changes something needs the header <code>X-CSRF-Token</code>, from the answer that signed in or from <code>GET /auth/csrf</code>.${bearer !== undefined && html` A program sends <code>Authorization: Bearer …</code> and no CSRF token.`}</p>
<p>For the lines of curl below, sign in first; <code>jar</code> keeps the cookies, <code>$TOKEN</code> is <code>csrf_token</code> of the answer:</p>
<pre tabindex="0"><code>curl -c jar ${base}/auth/login -H 'Content-Type: application/json' \\
  -d '{"email":"ada@example.com","password":"correct horse battery"}'</code></pre>`;
}

function operationPart(placed: Placed, origin: string): Html {
  const { method, path, operation } = placed;
  const body = jsonOf(operation.requestBody);
  const { good, refused } = answersOf(placed);
  return html`<article class="operation" aria-labelledby="${operation.operationId}">
<h3 id="${operation.operationId}" class="breakable">${anchor(operation.operationId, html`<span class="method">${method}</span> ${path}`)}</h3>
<p>${withCode(operation.summary)}</p>
<p class="conditions">${withCode(operation.description)}</p>
${body !== null && html`<h4>Body</h4>\n${shapes(body)}`}
<h4>Request</h4>
<pre tabindex="0"><code>${curlOf(placed, origin)}</code></pre>
${good.map(([status, schema]) => answerPart(status, schema))}
<h4>Refusals</h4>
<ul class="refusals">
${refused.map(([status, codes]) => html`<li><span class="badge">${status}</span> ${codes.map((code, at) => html`${at > 0 && ", "}<a href="/problems/${code}"><code>${code}</code></a>`)}</li>`)}
</ul>
</article>`;
}

function answerPart(status: string, schema: Schema | null): Html {
  if (schema === null || shapesOf(schema).length === 0) {
    const what = schema === null ? "no body" : typeOf(schema);
    return html`<h4>Answer <span class="badge">${status}</span></h4>\n<p class="conditions">${what}</p>`;
  }
  return html`<h4>Answer <span class="badge">${status}</span></h4>
<details><summary>Fields</summary>
${shapes(schema)}
</details>
<pre tabindex="0"><code>${JSON.stringify(exampleOf(schema), null, 2)}</code></pre>`;
}

function shapes(schema: Schema): Html {
  const all = shapesOf(schema);
  return html`${all.map((fields, at) => html`${at > 0 && html`<p>or</p>`}${fieldTable(fields)}`)}`;
}

function fieldTable(fields: readonly Field[]): Html {
  return html`<table>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th></tr></thead>
<tbody>
${fields.map(({ name, isRequired, type }) => html`<tr><th scope="row"><code class="breakable">${name}</code>${!isRequired && html` <span class="optional">optional</span>`}</th><td>${type}</td></tr>`)}
</tbody>
</table>`;
}

function answersOf({ operation: { responses } }: Placed): {
  readonly good: readonly (readonly [status: string, schema: Schema | null])[];
  readonly refused: readonly (readonly [status: string, codes: readonly string[]])[];
} {
  const all = Object.entries(responses).filter(([status]) => status !== "default");
  return {
    good: all.filter(([status]) => status < "400").map(([status, answer]) => [status, jsonOf(answer)]),
    refused: all
      .filter(([status]) => status >= "400")
      .map(([status, { description }]) => [
        status,
        [...description.matchAll(/`(\w+)`/g)].map(([, code = ""]) => code),
      ]),
  };
}

/** A heading that leads to itself, so that its address can be copied. */
function anchor(id: string, words: string | Html): Html {
  return html`<a class="anchor" href="#${id}">${words}</a>`;
}

function idOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

// `words` between backquotes are names of the wire.
function withCode(text: string): Html[] {
  return text.split("`").map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
