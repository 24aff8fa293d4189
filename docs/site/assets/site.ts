// The little that every page carries: the search opens by a button or a key, and loads the rest then.

const script = document.currentScript as HTMLScriptElement;
const root = script.dataset.root ?? "";
const button = document.querySelector<HTMLButtonElement>(".search-button");
let isLoaded = false;

if (button !== null) {
  button.hidden = false;
  button.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    const isTyping =
      event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    event.preventDefault();
    open();
  });
}

/** By scripts and not by `fetch`: that may not read files beside a page that was opened from a folder. */
function open(): void {
  if (isLoaded) {
    document.dispatchEvent(new Event("latchkey:search"));
    return;
  }
  isLoaded = true;
  for (const name of ["search-index.js", "search.js"]) {
    const element = document.createElement("script");
    element.src = `${root}${name}`;
    element.dataset.root = root;
    // In order: the search needs its index.
    element.async = false;
    document.head.append(element);
  }
}
