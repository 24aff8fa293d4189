import { html } from "hono/html";

/** Markup whose texts were escaped where they were put in: what the tag `html` gives, and nothing else. */
export type Html = ReturnType<typeof html>;

export { html };
