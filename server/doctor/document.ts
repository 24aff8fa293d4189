import type { Check } from "./check.ts";
import { checks } from "./checks.ts";

/** The page `docs/doctor.md`, made from the table of checks. */
export function doctorDocument(): string {
  const of = (needs: Check["needs"]): string =>
    checks
      .filter((check) => check.needs === needs)
      .map(tableLine)
      .join("\n");
  const sections = (Object.keys(headings) as Check["needs"][]).map(
    (needs) =>
      `## ${headings[needs]}\n\n| check | holds where nothing is found | severity | asked |\n| --- | --- | --- | --- |\n${of(needs)}\n`,
  );
  return `${introduction(checks.length)}\n${sections.join("\n")}`;
}

const headings: Readonly<Record<Check["needs"], string>> = {
  settings: "Settings",
  machine: "Machine",
  database: "Database",
  sessions: "Server of the sessions",
  server: "Running server",
};

function tableLine({ id, title, severity, scope }: Check): string {
  const cells = [`\`${id}\``, title, severity, scope === "production" ? "in production" : "everywhere"];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

const introduction = (count: number): string => `# Doctor

<!-- Made by \`node tools/settings-doc.ts\` from server/doctor. Edit there, not here. -->

\`latchkey doctor\` makes ${count} checks of the settings, this machine, the database, the server of the sessions and the running
server, and names the fix for each finding. It only reads: it makes no file, changes no row, and starts with settings that a server
refuses to start with.

\`\`\`console
latchkey doctor                 # a table of the findings, and of what could not be told
latchkey doctor --all           # every check, the fine ones too
latchkey doctor --json          # the same for programs, every check
latchkey doctor --production    # on your own machine: as if this were production
latchkey doctor --url https://app.example    # another way to the server than its ORIGIN
latchkey doctor --strict        # exit code 1 for warnings, too
\`\`\`

The exit code is 1 where there is an error: something dangerous, or something that does not work. A **warning** should be mended; a
**note** is worth knowing. What cannot be told (a server that says nothing of its disk) is \`unknown\` and no error.

Run it where the server runs, as the server's user, in its folder and with its environment: files and settings are then the server's own.
Through the origin it sees what browsers see, so run it there as well as from outside, with \`--url\`.

## When the server starts

The server makes these checks itself, and refuses to start:

- everywhere, with an **error** of the settings that is asked everywhere;
- in production, with any **error** of the settings;
- in production with \`PRODUCTION_SECURITY_STRICT_MODE=true\`, with any **error or warning** of the settings, the machine, the
  database and the server of the sessions. Left out are \`superuser-there\`, \`sweep-works\`, \`mail-flows\`, \`audit-sealed\` and
  \`audit-followers-known\`, which are mended while a server runs. What
  \`settings-known\` and \`env-file-whole\` find is printed at a start, and refuses none.

## What the running server tells

The doctor proves to the server that it knows \`SECRET_KEY\` (HMAC over the time, good for ten minutes), and the server answers at
\`/doctor\` with its version, origin, clock, a keyed digest of its settings, and what it sees of the request: peer,
\`X-Forwarded-For\`, and whom it takes for the client. To everybody else \`/doctor\` is a page that is not there. Through the origin the doctor
writes an \`X-Forwarded-For\` of its own, which nobody must believe. On a machine whose own address is in \`TRUSTED_PROXIES\` it cannot tell
whether somebody does: ask from another one.
`;
