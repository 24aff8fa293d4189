/** The style sheet. */
export const style = `
:root { color-scheme: light dark; --ink: light-dark(#1f1c17, #ece7dd); --paper: light-dark(#fbfaf7, #171510); --card: light-dark(#fff, #211e18); --line: light-dark(#d9d4c8, #4a463d); --edge: light-dark(#857f72, #8b8577); --accent: light-dark(#2f5d50, #8fc9b6); --on-accent: light-dark(#fff, #10211b); --bad: light-dark(#a3261b, #ff9b8f); }
[data-theme="light"] { color-scheme: light; }
[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between; padding: .75rem 1rem; border-bottom: 1px solid var(--line); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; overflow-wrap: anywhere; }
.brand { font-weight: 700; text-decoration: none; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
a { color: var(--accent); }
.card { display: grid; gap: 1rem; max-width: 24rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.field { display: grid; gap: .25rem; }
input:not([type="checkbox"]) { width: 100%; padding: .5rem .6rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: .35rem; }
input[aria-invalid] { border-color: var(--bad); }
button { justify-self: start; padding: .5rem 1rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: .35rem; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.card p { margin: 0; }
.error { margin: 0; color: var(--bad); }
dt { font-weight: 600; } dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
`;
