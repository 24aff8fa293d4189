import { html } from "hono/html";
import type { Show, ShowMember, Site } from "../site.ts";

/** Where somebody who is signed in starts. */
export function dashboard({ layout }: Site): ShowMember {
  const main = html`<p>Nobody sees this page without signing in.</p>
<ul><li><a href="/profile">Your profile</a></li><li><a href="/admin">For administrators</a></li></ul>`;
  return (c, principal, session) => c.html(layout({ principal, session }, "Dashboard", main));
}

/** Who they are. */
export function profile({ layout }: Site): ShowMember {
  return (c, principal, session) => {
    const { email, name, createdAt } = principal.user;
    const main = html`<dl><dt>Email</dt><dd>${email}</dd><dt>Name</dt><dd>${name ?? "–"}</dd>
<dt>Member since</dt><dd>${createdAt.toISOString().slice(0, 10)}</dd></dl>`;
    return c.html(layout({ principal, session }, "Profile", main));
  };
}

/** For administrators. */
export function administration({ layout }: Site): ShowMember {
  const main = html`<p>For administrators alone.</p>`;
  return (c, principal, session) => c.html(layout({ principal, session }, "Administration", main));
}

/** Where others are sent from there. */
export function unauthorized({ layout }: Site): Show {
  const main = html`<p>You may not see that page.</p>`;
  return (c, principal, session) => c.html(layout({ principal, session }, "Unauthorized", main), 403);
}
