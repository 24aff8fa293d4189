import type { Slots } from "./template.ts";

/** Slots of `layout.html`. */
export const frameSlots: Slots = {
  texts: ["title", "locale"],
  markup: ["head", "skip", "banner", "brand", "navigation", "languages", "footer", "main"],
  // Without the banner somebody could forget in whose place they act.
  needed: ["title", "locale", "head", "banner", "main"],
};

/** Slots of every other template. */
export const pageSlots: Slots = {
  texts: ["title", "locale", "appPath", "loginPath"],
  markup: ["above", "heading", "lead", "messages", "form", "aside"],
  // The lead says whose account a mailed link is for.
  needed: ["heading", "lead", "messages", "form"],
};
