import MiniSearch from "minisearch";
import type { SearchEntry } from "../search-index.ts";
import { searchOptions } from "../search-options.ts";

declare const latchkeySearchIndex: string;

/** More are not read. */
const most = 12;

const root = (document.currentScript as HTMLScriptElement).dataset.root ?? "";
const index = MiniSearch.loadJSON<SearchEntry>(latchkeySearchIndex, searchOptions);

const dialog = document.createElement("dialog");
dialog.className = "search";
dialog.setAttribute("aria-label", "Search");
const input = document.createElement("input");
input.type = "search";
input.placeholder = "Search";
input.autocomplete = "off";
input.spellcheck = false;
input.setAttribute("aria-label", "Words to look for");
const count = document.createElement("p");
count.setAttribute("role", "status");
const list = document.createElement("ol");
dialog.append(input, count, list);
document.body.append(dialog);

input.addEventListener("input", show);
dialog.addEventListener("keydown", move);
dialog.addEventListener("click", ({ target }) => {
  // Beside the box; and a link within the page on which one is.
  if (target === dialog || (target instanceof Element && target.closest("a") !== null)) dialog.close();
});
document.addEventListener("latchkey:search", open);
open();

function open(): void {
  dialog.showModal();
  input.select();
}

function show(): void {
  const words = input.value.trim();
  const found = words === "" ? [] : index.search(words);
  list.replaceChildren(
    ...found.slice(0, most).map(({ id, title, page }) => item(String(id), String(title), String(page))),
  );
  count.textContent = words === "" ? "" : found.length === 0 ? "Nothing found." : `${found.length} found`;
}

function item(id: string, title: string, page: string): HTMLLIElement {
  const link = document.createElement("a");
  link.href = `${root}${id}`;
  const strong = document.createElement("strong");
  strong.textContent = title;
  link.append(strong);
  if (title !== page) link.append(` ${page}`);
  const line = document.createElement("li");
  line.append(link);
  return line;
}

/** Up and down go through what was found, Enter in the field opens the first. */
function move(event: KeyboardEvent): void {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (event.key === "Enter" && document.activeElement === input) links[0]?.click();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  (links[at + step] ?? (step < 0 ? input : links.at(-1)))?.focus();
}
