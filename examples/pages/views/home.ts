import { html } from "hono/html";
import type { Site, View } from "../site.ts";
import { csrfField } from "./layout.ts";

/** The first page, and its form that chooses colours. */
export function homeView({ auth, visit, layout }: Site): View {
  return {
    async show(c, principal, session) {
      const main = html`<p>Everybody may read this page. Your choice of colours is kept, signed in or not.</p>
<form method="post" action="/theme">${csrfField(await auth.sessions.csrfToken(visit(c)))}
<button name="theme" value="light">Light</button> <button name="theme" value="dark">Dark</button></form>`;
      return c.html(layout({ principal, session }, "Hello", main));
    },

    async submit(c, _principal, session) {
      // Data of a session, which visitors have, too; it goes over to the user who signs in.
      await session.set("theme", (await c.req.parseBody()).theme === "dark" ? "dark" : "light");
      return c.redirect("/", 303);
    },
  };
}
