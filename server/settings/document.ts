import { type SettingRow, settingsTable } from "./table.ts";

/** The page `docs/settings.md`, made from the table of settings. */
export function settingsDocument(): string {
  const rows: readonly SettingRow[] = Object.values(settingsTable);
  return `${introduction}
| setting | default | unit | accepts | meaning | also read as |
| --- | --- | --- | --- | --- | --- |
${rows.map(tableLine).join("\n")}

\`*\` marks a secret: its value appears in no message and no log.
${production}`;
}

function tableLine(row: SettingRow): string {
  const name = `\`${row.name}\`${row.isSecret === true ? " *" : ""}`;
  const preset = row.default === null || row.default === "" ? "none" : `\`${row.default}\``;
  const aliases = (row.aliases ?? []).map((alias) => {
    const unit = alias.kind?.unit ?? null;
    return `\`${alias.name}\`${unit === null ? "" : ` (${unit})`}`;
  });
  const cells = [name, preset, row.kind.unit ?? "", row.kind.accepts, row.meaning, aliases.join(", ")];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

const introduction = `# Settings

<!-- Made by \`node tools/settings-doc.ts\` from server/settings. Edit there, not here. -->

The server reads its settings from the environment and, for what is not set there, from a file \`.env\` in the working
directory. There a \`#\` begins a comment, also in the middle of a value: a value that has one goes into quotation marks
(\`WEBHOOKS="https://hooks.example/latchkey#whsec_…"\`). A blank value counts as not set. Everything has a default that
works on your own machine; what cannot be started with is refused with one line for each problem, all at once, that
names the setting, what was found and the fix.

A setting with several names may be given by any of them; by two with different values it is refused. A name that
looks like a misspelt setting gives a warning.
`;

const production = `
## In production

Production means that the origin is not loopback (\`localhost\`, \`*.localhost\`, \`127.0.0.0/8\`, \`[::1]\`).
\`ENVIRONMENT=production\` makes a loopback origin as strict; nothing makes another origin less strict. These refuse to
start there:

- no \`SECRET_KEY\`, or one that is published, a placeholder, a repetition or a sequence
- an \`ORIGIN\` or an entry of \`TRUSTED_ORIGINS\` that is not https
- \`DEBUG=true\`
- \`CORS_ORIGINS=*\`
- \`CSRF_ENABLED=false\`
- \`SESSION_SECURE_COOKIES=false\`
- \`PRODUCTION_SECURITY_VALIDATION_ENABLED=false\`

\`PRODUCTION_SECURITY_STRICT_MODE=true\` refuses more: each warning of [\`latchkey doctor\`](doctor.md) about the settings, and each of its
errors and warnings about the machine, the database and the server of the sessions, but for those that it lists as left out.

## Everywhere

These refuse to start on loopback too:

- a secret shorter than 32 bytes, or with a comma in it
- \`HOST\` on other than loopback without an \`ORIGIN\`
- \`CORS_ORIGINS=*\` together with \`CORS_ALLOW_CREDENTIALS=true\`, or beside other origins
- \`SESSION_SAME_SITE=none\` without \`TRUSTED_ORIGINS\`, or on an http origin
- \`SESSION_SECURE_COOKIES=false\` on an https origin
- a \`SESSION_DOMAIN\` that is a public suffix or does not cover the origin's host
- a range in \`TRUSTED_PROXIES\` that covers every address
- \`MAX_SESSIONS_PER_USER\` with a number other than 0 together with \`SESSION_STORAGE=stateless\`
- \`LOGIN_PATH\` and \`APP_PATH\` that are the same or lie under \`BASE_PATH\`
- \`SESSION_HOST\` or \`SESSION_PORT\` beside the backend's own address
- a \`data/secret.key\` that others can read

What only the stores themselves can tell ends the start too: a driver that is not installed (with the command that installs it), a
database that does not answer, a schema of another version, a Redis that evicts, a folder of sessions that another process uses. A backend of
sessions that does not answer does not: the server starts, and \`/readyz\` says 503 until it does. [Stores](stores.md) has more.
`;
