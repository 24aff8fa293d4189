import type { MailFacts } from "./facts.ts";
import { instant, lasting, type Words } from "./words.ts";

const units = { minute: ["minuto", "minutos"], hour: ["hora", "horas"], day: ["día", "días"] } as const;
const time = (seconds: number): string =>
  lasting(seconds, (count, unit) => `${count} ${units[unit][count === 1 ? 0 : 1]}`);
const works = ({ ttlSeconds }: MailFacts): string =>
  `El enlace funciona una sola vez, durante ${time(ttlSeconds ?? 0)}.`;
const ignore = "Si no lo ha pedido usted, no tiene que hacer nada.";

/** Spanish. */
export const spanish: Words = {
  orOpen: "O abra esta dirección:",
  lasting: time,
  footer: ({ site, origin, to }) =>
    `${site} (${origin}) ha enviado este mensaje a ${to}. Las respuestas no se leen.`,
  mails: {
    verify: (facts) => ({
      subject: `Confirme su dirección de correo para ${facts.site}`,
      lead: [`Confirme que ${facts.to} es su dirección. Para ello debe haber iniciado sesión en su cuenta.`],
      button: "Confirmar la dirección",
      rest: [works(facts), "Si no tiene cuenta aquí, alguien escribió mal la suya: no abra el enlace."],
    }),
    reset: (facts) => ({
      subject: `Elija una contraseña nueva para ${facts.site}`,
      lead: [`Alguien, quizá usted, quiere volver a entrar en la cuenta con la dirección ${facts.to}.`],
      button: "Elegir contraseña",
      rest: [`${works(facts)} Cierra todas sus sesiones.`, ignore],
    }),
    registration: (facts) => ({
      subject: `Su cuenta en ${facts.site}`,
      lead: [`Alguien, quizá usted, está creando una cuenta con la dirección ${facts.to}.`],
      button: "Crear la cuenta",
      rest: [works(facts), `${ignore} Sin el enlace no se crea ninguna cuenta.`],
    }),
    registration_taken: (facts) => ({
      subject: `Ya tiene una cuenta en ${facts.site}`,
      lead: [
        `Alguien, quizá usted, quiso usar la dirección ${facts.to} para una cuenta. Ya hay una con ella: la suya.`,
        "Inicie sesión como siempre. Si ha olvidado la contraseña, la página de inicio de sesión le ayuda.",
      ],
      button: "Iniciar sesión",
      rest: ["Si no ha sido usted, no tiene que hacer nada: no se ha cambiado nada."],
    }),
    email_change: (facts) => ({
      subject: `Confirme su nueva dirección de correo para ${facts.site}`,
      lead: [
        `Confirme que ${facts.to} va a ser la dirección de su cuenta. Para ello debe haber iniciado sesión en ella.`,
        "Hasta entonces no cambia nada.",
      ],
      button: "Confirmar la dirección",
      rest: [works(facts), "Si no lo ha pedido usted, no abra el enlace."],
    }),
    email_changed: (facts) => ({
      subject: `Se ha cambiado la dirección de correo de su cuenta en ${facts.site}`,
      lead: [
        `Su cuenta tiene ahora la dirección ${facts.newAddress ?? ""}. A partir de ahora el correo va allí.`,
      ],
      button: "No he sido yo",
      rest: [
        `Si ha sido usted, no tiene que hacer nada. Si no, el enlace le devuelve la cuenta. Funciona una sola vez, durante ${time(facts.ttlSeconds ?? 0)}.`,
      ],
    }),
    magic_link: (facts) => ({
      subject: `Iniciar sesión en ${facts.site}`,
      lead: [`Este es el enlace para iniciar sesión como ${facts.to}.`],
      button: "Iniciar sesión",
      rest: [works(facts), `${ignore} No pase el enlace a nadie: quien lo abre está en su cuenta.`],
    }),
    email_code: (facts) => ({
      subject: `Su código para ${facts.site}`,
      lead: [`Escriba este código donde lo ha pedido para iniciar sesión como ${facts.to}:`],
      button: null,
      rest: [
        `Funciona durante ${time(facts.ttlSeconds ?? 0)}.`,
        `${ignore} No diga el código a nadie: nunca lo pedimos.`,
      ],
    }),
    invitation: (facts) => ({
      subject: `Le invitan a ${facts.site}`,
      lead: [`Le invitan a crear una cuenta en ${facts.site} con la dirección ${facts.to}.`],
      button: "Aceptar la invitación",
      rest: [works(facts)],
    }),
    password_changed: (facts) => ({
      subject: `Se ha cambiado su contraseña de ${facts.site}`,
      lead: [`Se ha cambiado la contraseña de su cuenta (${facts.to}) y se han cerrado las demás sesiones.`],
      button: "No he sido yo",
      rest: ["Si ha sido usted, no tiene que hacer nada. Si no, elija una contraseña nueva enseguida."],
    }),
    new_device: (facts) => ({
      subject: `Nuevo inicio de sesión en ${facts.site}`,
      lead: [
        `Alguien ha iniciado sesión en su cuenta (${facts.to}) con un navegador que no conocíamos.`,
        ...signIn(facts),
      ],
      button: "No he sido yo",
      rest: [
        "Si ha sido usted, no tiene que hacer nada. Si no, el enlace cierra esa sesión. Después elija una contraseña nueva.",
      ],
    }),
  },
};

function signIn({ signIn: found }: MailFacts): string[] {
  if (found === null) return [];
  const parts = [
    found.device ?? "Dispositivo desconocido",
    found.ip === null ? null : `dirección ${found.ip}`,
  ];
  return [`${instant(found.at, "es")} · ${parts.filter((part) => part !== null).join(" · ")}`];
}
