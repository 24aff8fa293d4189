/** What commands in `console` blocks begin with, and why no test runs them. Everything else is `sh`, and runs. */
export const notRun: Readonly<Record<string, string>> = {
  "npm ": "installs, tests everything, or does not end",
  "npx vitest": "tests within a test",
  "npx latchkey serve": "does not end",
  "latchkey doctor": "its exit code speaks of the machine; test/server/doctor.test.ts runs it",
  "cd deploy": "before what follows it there",
  "docker compose": "needs a daemon; test/deploy reads the files that it would",
  "install -": "for the folders of the system",
  systemctl: "for the system",
  "journalctl ": "for the system",
  "python manage.py": "another product's",
  psql: "another product's database",
  mysql: "another product's database",
  sqlite3: "another product's database",
  firebase: "another product's",
  "kc.sh": "another product's",
  "node keycloak.ts": "works on another product's files; test/docs/moving.test.ts runs it",
  jq: "not on every machine",
};

/** Documents whose `console` blocks are run by a test of their own, which names them. */
export const runElsewhere: Readonly<Record<string, string>> = {
  "docs/tutorial.md": "test/package/readme.test.ts",
  "examples/api/README.md": "test/examples/api.test.ts",
  "examples/pages/README.md": "test/examples/pages.test.ts",
  "examples/service/README.md": "test/examples/service.test.ts",
};
