import type { MailFacts } from "./facts.ts";
import { instant, lasting, type Words } from "./words.ts";

const units = { minute: ["Minute", "Minuten"], hour: ["Stunde", "Stunden"], day: ["Tag", "Tage"] } as const;
const time = (seconds: number): string =>
  lasting(seconds, (count, unit) => `${count} ${units[unit][count === 1 ? 0 : 1]}`);
const works = ({ ttlSeconds }: MailFacts): string =>
  `Der Link funktioniert einmal und ${time(ttlSeconds ?? 0)} lang.`;
const ignore = "Wenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun.";

/** German. */
export const german: Words = {
  orOpen: "Oder öffnen Sie diese Adresse:",
  lasting: time,
  footer: ({ site, origin, to }) =>
    `${site} (${origin}) hat dies an ${to} geschickt. Antworten werden nicht gelesen.`,
  mails: {
    verify: (facts) => ({
      subject: `Bestätigen Sie Ihre E-Mail-Adresse für ${facts.site}`,
      lead: [
        `Bestätigen Sie, dass ${facts.to} Ihre Adresse ist. Dazu müssen Sie in Ihrem Konto angemeldet sein.`,
      ],
      button: "Adresse bestätigen",
      rest: [
        works(facts),
        "Wenn Sie hier kein Konto haben, hat sich jemand vertippt: Öffnen Sie den Link dann nicht.",
      ],
    }),
    reset: (facts) => ({
      subject: `Wählen Sie ein neues Passwort für ${facts.site}`,
      lead: [`Jemand, vielleicht Sie, möchte wieder in das Konto mit der Adresse ${facts.to} gelangen.`],
      button: "Passwort wählen",
      rest: [`${works(facts)} Er meldet Sie überall ab.`, ignore],
    }),
    registration: (facts) => ({
      subject: `Ihr Konto bei ${facts.site}`,
      lead: [`Jemand, vielleicht Sie, legt ein Konto mit der Adresse ${facts.to} an.`],
      button: "Konto anlegen",
      rest: [works(facts), `${ignore} Ohne den Link entsteht kein Konto.`],
    }),
    registration_taken: (facts) => ({
      subject: `Sie haben ein Konto bei ${facts.site}`,
      lead: [
        `Jemand, vielleicht Sie, wollte die Adresse ${facts.to} für ein Konto verwenden. Damit gibt es schon eines: Ihres.`,
        "Melden Sie sich an wie bisher. Wenn Sie Ihr Passwort vergessen haben, hilft die Anmeldeseite.",
      ],
      button: "Anmelden",
      rest: ["Wenn Sie es nicht waren, brauchen Sie nichts zu tun: Es wurde nichts geändert."],
    }),
    email_change: (facts) => ({
      subject: `Bestätigen Sie Ihre neue E-Mail-Adresse für ${facts.site}`,
      lead: [
        `Bestätigen Sie, dass ${facts.to} die Adresse Ihres Kontos werden soll. Dazu müssen Sie dort angemeldet sein.`,
        "Bis dahin ändert sich nichts.",
      ],
      button: "Adresse bestätigen",
      rest: [works(facts), "Wenn Sie das nicht angefordert haben, öffnen Sie den Link nicht."],
    }),
    email_changed: (facts) => ({
      subject: `Die E-Mail-Adresse Ihres Kontos bei ${facts.site} wurde geändert`,
      lead: [`Ihr Konto hat jetzt die Adresse ${facts.newAddress ?? ""}. Dorthin geht von nun an alle Post.`],
      button: "Das war ich nicht",
      rest: [
        `Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht: Der Link gibt Ihnen das Konto zurück. Er funktioniert einmal und ${time(facts.ttlSeconds ?? 0)} lang.`,
      ],
    }),
    magic_link: (facts) => ({
      subject: `Anmelden bei ${facts.site}`,
      lead: [`Hier ist der Link, mit dem Sie sich als ${facts.to} anmelden.`],
      button: "Anmelden",
      rest: [works(facts), `${ignore} Geben Sie den Link nicht weiter: Wer ihn öffnet, ist in Ihrem Konto.`],
    }),
    email_code: (facts) => ({
      subject: `Ihr Code für ${facts.site}`,
      lead: [
        `Geben Sie diesen Code dort ein, wo Sie ihn angefordert haben, um sich als ${facts.to} anzumelden:`,
      ],
      button: null,
      rest: [
        `Er funktioniert ${time(facts.ttlSeconds ?? 0)} lang.`,
        `${ignore} Nennen Sie den Code niemandem: Wir fragen nie danach.`,
      ],
    }),
    invitation: (facts) => ({
      subject: `Sie sind zu ${facts.site} eingeladen`,
      lead: [`Sie sind eingeladen, bei ${facts.site} ein Konto mit der Adresse ${facts.to} anzulegen.`],
      button: "Einladung annehmen",
      rest: [works(facts)],
    }),
    password_changed: (facts) => ({
      subject: `Ihr Passwort für ${facts.site} wurde geändert`,
      lead: [
        `Das Passwort Ihres Kontos (${facts.to}) wurde geändert, und alle anderen Sitzungen sind beendet.`,
      ],
      button: "Das war ich nicht",
      rest: [
        "Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht, wählen Sie sofort ein neues Passwort.",
      ],
    }),
    new_device: (facts) => ({
      subject: `Neue Anmeldung bei ${facts.site}`,
      lead: [
        `In Ihrem Konto (${facts.to}) hat sich jemand mit einem Browser angemeldet, den wir noch nicht kannten.`,
        ...signIn(facts),
      ],
      button: "Das war ich nicht",
      rest: [
        "Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht: Der Link beendet diese Sitzung. Wählen Sie danach ein neues Passwort.",
      ],
    }),
  },
};

function signIn({ signIn: found }: MailFacts): string[] {
  if (found === null) return [];
  const parts = [found.device ?? "Unbekanntes Gerät", found.ip === null ? null : `Adresse ${found.ip}`];
  return [`${instant(found.at, "de")} · ${parts.filter((part) => part !== null).join(" · ")}`];
}
