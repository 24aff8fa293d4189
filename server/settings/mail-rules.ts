import type { Rule } from "./rules.ts";

/** Rules about mail that hold everywhere. */
export const mailRules: readonly Rule[] = [
  {
    id: "mail-from-set",
    title: "Mail says whom it comes from",
    about: ["mailFrom", "smtpUrl"],
    broken: ({ smtpUrl, mailFrom }) =>
      smtpUrl !== null && mailFrom === null
        ? {
            found: "nothing",
            problem: "is needed with SMTP_URL",
            fix: "Write whom mail comes from, as in Example <no-reply@app.example>.",
          }
        : null,
  },
];

/** Rules about mail in production, where nothing stands in for a mail server. */
export const mailInProduction: readonly Rule[] = [
  {
    id: "confirm-by-mail",
    title: "Registrations can be confirmed by mail",
    about: ["registrationMode", "smtpUrl"],
    broken: ({ registrationMode, smtpUrl }) =>
      registrationMode === "confirm" && smtpUrl === null
        ? {
            found: '"confirm"',
            problem: "needs mail, which SMTP_URL would send",
            fix: "Set SMTP_URL and MAIL_FROM, or write open, invite or closed.",
          }
        : null,
  },
];
