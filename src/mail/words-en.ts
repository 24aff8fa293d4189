import type { MailFacts } from "./facts.ts";
import { instant, lasting, type Words } from "./words.ts";

const time = (seconds: number): string =>
  lasting(seconds, (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`);
const works = ({ ttlSeconds }: MailFacts): string => `The link works once, for ${time(ttlSeconds ?? 0)}.`;
const ignore = "If you did not ask for this, you need not do anything.";

/** English. */
export const english: Words = {
  orOpen: "Or open this address:",
  lasting: time,
  footer: ({ site, origin, to }) => `${site} (${origin}) sent this to ${to}. Replies are not read.`,
  mails: {
    verify: (facts) => ({
      subject: `Confirm your email address for ${facts.site}`,
      lead: [`Confirm that ${facts.to} is your address. You have to be signed in to your account for it.`],
      button: "Confirm address",
      rest: [works(facts), "If you have no account here, somebody mistyped theirs: do not open the link."],
    }),
    reset: (facts) => ({
      subject: `Choose a new password for ${facts.site}`,
      lead: [`Somebody, perhaps you, asked for a way back into the account with the address ${facts.to}.`],
      button: "Choose a password",
      rest: [`${works(facts)} It signs you out everywhere.`, ignore],
    }),
    registration: (facts) => ({
      subject: `Your account at ${facts.site}`,
      lead: [`Somebody, perhaps you, is creating an account with the address ${facts.to}.`],
      button: "Create the account",
      rest: [works(facts), `${ignore} Without the link no account is made.`],
    }),
    registration_taken: (facts) => ({
      subject: `You have an account at ${facts.site}`,
      lead: [
        `Somebody, perhaps you, wanted to use the address ${facts.to} for an account. There is one with it already: yours.`,
        "Sign in as before. If you have forgotten your password, the sign-in page helps.",
      ],
      button: "Sign in",
      rest: ["If it was not you, you need not do anything: nothing was changed."],
    }),
    email_change: (facts) => ({
      subject: `Confirm your new email address for ${facts.site}`,
      lead: [
        `Confirm that ${facts.to} is to be the address of your account. You have to be signed in to it.`,
        "Until then nothing changes.",
      ],
      button: "Confirm address",
      rest: [works(facts), "If you did not ask for this, do not open the link."],
    }),
    email_changed: (facts) => ({
      subject: `The email address of your account at ${facts.site} was changed`,
      lead: [`Your account has the address ${facts.newAddress ?? ""} now. Mail goes there from now on.`],
      button: "That was not me",
      rest: [
        `If it was you, you need not do anything. If not: the link gives you the account back. It works once, for ${time(facts.ttlSeconds ?? 0)}.`,
      ],
    }),
    magic_link: (facts) => ({
      subject: `Sign in to ${facts.site}`,
      lead: [`Here is the link for signing in as ${facts.to}.`],
      button: "Sign in",
      rest: [works(facts), `${ignore} Do not pass the link on: whoever opens it is in your account.`],
    }),
    email_code: (facts) => ({
      subject: `Your code for ${facts.site}`,
      lead: [`Type this code where you asked for it to sign in as ${facts.to}:`],
      button: null,
      rest: [
        `It works for ${time(facts.ttlSeconds ?? 0)}.`,
        `${ignore} Do not tell the code to anybody: we never ask for it.`,
      ],
    }),
    invitation: (facts) => ({
      subject: `You are invited to ${facts.site}`,
      lead: [
        `An administrator of ${facts.site} invites you to create an account with the address ${facts.to}.`,
      ],
      button: "Accept the invitation",
      rest: [works(facts)],
    }),
    password_changed: (facts) => ({
      subject: `Your password for ${facts.site} was changed`,
      lead: [`The password of your account (${facts.to}) was changed, and every other session was ended.`],
      button: "That was not me",
      rest: ["If it was you, you need not do anything. If not, choose a new password at once."],
    }),
    new_device: (facts) => ({
      subject: `New sign-in to ${facts.site}`,
      lead: [
        `Somebody signed in to your account (${facts.to}) in a browser that we had not seen before.`,
        ...signIn(facts),
      ],
      button: "That was not me",
      rest: [
        "If it was you, you need not do anything. If not: the link ends that session. Then choose a new password.",
      ],
    }),
  },
};

function signIn({ signIn: found }: MailFacts): string[] {
  if (found === null) return [];
  const parts = [found.device ?? "Unknown device", found.ip === null ? null : `address ${found.ip}`];
  return [`${instant(found.at, "en-GB")} · ${parts.filter((part) => part !== null).join(" · ")}`];
}
