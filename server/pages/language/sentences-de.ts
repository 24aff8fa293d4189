import type { Sentences } from "./sentences.ts";

/** Refusals in German, by the English sentence. */
export const sentences: Sentences = {
  "The request has fields that cannot be accepted.":
    "Die Anfrage hat Felder, die nicht angenommen werden können.",
  "The body is not valid JSON.": "Der Inhalt ist kein gültiges JSON.",
  "The request cannot be read.": "Die Anfrage kann nicht gelesen werden.",
  "The password cannot be used.": "Das Passwort kann nicht verwendet werden.",
  "The link or token is unknown, used or expired.":
    "Der Link oder das Token ist unbekannt, verbraucht oder abgelaufen.",
  "Signing in with the provider did not work. Please start again.":
    "Die Anmeldung mit dem Anbieter hat nicht geklappt. Bitte fangen Sie noch einmal an.",
  "Sign in to continue.": "Melden Sie sich an, um fortzufahren.",
  "The session has ended. Sign in again.": "Die Sitzung ist beendet. Melden Sie sich erneut an.",
  "The refresh token was used before. Sign in again.":
    "Das Refresh-Token wurde schon benutzt. Melden Sie sich erneut an.",
  "Invalid email or password": "E-Mail-Adresse oder Passwort ist falsch",
  "You may not do this.": "Das dürfen Sie nicht.",
  "Confirm your password to continue.": "Bestätigen Sie Ihr Passwort, um fortzufahren.",
  "Choose a new password to continue.": "Wählen Sie ein neues Passwort, um fortzufahren.",
  "The request carries no CSRF token.": "Die Anfrage hat kein CSRF-Token.",
  "The CSRF token does not belong to this session.": "Das CSRF-Token gehört nicht zu dieser Sitzung.",
  "The request comes from another origin.": "Die Anfrage kommt von einer anderen Website.",
  "Invalid form token. Please refresh and try again.":
    "Das Formular gilt nicht mehr. Bitte laden Sie es neu und versuchen Sie es noch einmal.",
  "Registration is closed.": "Die Registrierung ist geschlossen.",
  "There is nothing here.": "Hier ist nichts.",
  "This address does not answer to that method.": "Diese Adresse antwortet nicht auf diese Methode.",
  "Email already registered": "Diese E-Mail-Adresse ist schon registriert",
  "Username already taken": "Dieser Benutzername ist schon vergeben",
  "Somebody else changed this in the meantime. Load it again.":
    "Jemand anderes hat das inzwischen geändert. Laden Sie es neu.",
  "The body is too large.": "Der Inhalt ist zu groß.",
  "Send JSON or a form.": "Senden Sie JSON oder ein Formular.",
  "Too many requests. Please try again later.":
    "Zu viele Anfragen. Bitte versuchen Sie es später noch einmal.",
  "The provider does not answer as it should. Please try again in a moment.":
    "Der Anbieter antwortet nicht, wie er sollte. Bitte versuchen Sie es gleich noch einmal.",
  "The server is busy. Please try again in a moment.":
    "Der Server ist ausgelastet. Bitte versuchen Sie es gleich noch einmal.",
  "The service is temporarily unavailable.": "Der Dienst ist vorübergehend nicht verfügbar.",
  "Something went wrong.": "Etwas ist schiefgegangen.",
  "Email is required": "Geben Sie eine E-Mail-Adresse ein",
  "Email or username is required": "Geben Sie E-Mail-Adresse oder Benutzername ein",
  "This is not an email address": "Das ist keine E-Mail-Adresse",
  "Username is required": "Geben Sie einen Benutzernamen ein",
  "3 to 32 letters, digits, dots, dashes or underscores; some names are reserved":
    "3 bis 32 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche; einige Namen sind vergeben",
  "At most {count} characters": "Höchstens {count} Zeichen",
  "Control characters cannot be used": "Steuerzeichen sind nicht möglich",
  "Control characters cannot be used.": "Steuerzeichen sind nicht möglich.",
  "A language tag such as en or pt-BR": "Ein Sprachkürzel wie en oder pt-BR",
  "Name is required": "Geben Sie einen Namen ein",
  "Password is required": "Geben Sie ein Passwort ein",
  "Current password is required": "Geben Sie das aktuelle Passwort ein",
  "New password is required": "Geben Sie ein neues Passwort ein",
  "Passwords do not match": "Die Passwörter stimmen nicht überein",
  "Password must be at least {count} characters": "Das Passwort braucht mindestens {count} Zeichen",
  "Password is too long": "Das Passwort ist zu lang",
  "Password contains characters that cannot be used": "Das Passwort enthält Zeichen, die nicht möglich sind",
  "Password must not be a name or address of yours or of this site":
    "Das Passwort darf kein Name und keine Adresse von Ihnen oder dieser Website sein",
  "Password is too common": "Das Passwort ist zu verbreitet",
  "Password is known from a data breach; choose another":
    "Das Passwort ist aus einem Datenleck bekannt; wählen Sie ein anderes",
  "Password must contain an uppercase letter": "Das Passwort braucht einen Großbuchstaben",
  "Password must contain a lowercase letter": "Das Passwort braucht einen Kleinbuchstaben",
  "Password must contain a digit": "Das Passwort braucht eine Ziffer",
  "Password must contain a symbol": "Das Passwort braucht ein Sonderzeichen",
  "Choose another password than the one you have": "Wählen Sie ein anderes Passwort als Ihr jetziges",
  "Current password is incorrect": "Das aktuelle Passwort ist falsch",
  "Enter the password that you chose when registering":
    "Geben Sie das Passwort ein, das Sie bei der Registrierung gewählt haben",
  "This is not the password that was chosen when registering":
    "Das ist nicht das Passwort, das bei der Registrierung gewählt wurde",
  "The code is wrong, used or expired.": "Der Code ist falsch, verbraucht oder abgelaufen.",
  "You do not have the permission {permission}": "Sie haben die Berechtigung {permission} nicht",
  "Confirm your password to change your email address":
    "Bestätigen Sie Ihr Passwort, um Ihre E-Mail-Adresse zu ändern",
  "Confirm your password to change how you sign in":
    "Bestätigen Sie Ihr Passwort, um Ihre Anmeldewege zu ändern",
  "Confirm your password to delete your account": "Bestätigen Sie Ihr Passwort, um Ihr Konto zu löschen",
  "Sign in again to change your email address.":
    "Melden Sie sich erneut an, um Ihre E-Mail-Adresse zu ändern.",
  "Sign in again to change how you sign in.": "Melden Sie sich erneut an, um Ihre Anmeldewege zu ändern.",
  "Sign in again to delete your account.": "Melden Sie sich erneut an, um Ihr Konto zu löschen.",
  "Sign in again to continue.": "Melden Sie sich erneut an, um fortzufahren.",
  "The form is not known.": "Dieses Formular ist nicht bekannt.",
  "Send a form.": "Senden Sie ein Formular.",
  "That session has ended already.": "Diese Sitzung ist schon beendet.",
  "Your account may not open that page.": "Ihr Konto darf diese Seite nicht öffnen.",
  "Too many failed login attempts. Please try again later.":
    "Zu viele fehlgeschlagene Anmeldeversuche. Bitte versuchen Sie es später noch einmal.",
  "Too many failed login attempts. Reset the password, or sign in in a browser that you have used before.":
    "Zu viele fehlgeschlagene Anmeldeversuche. Wählen Sie ein neues Passwort, oder melden Sie sich in einem Browser an, den Sie schon benutzt haben.",
  "Too many wrong codes. Ask for a new one.": "Zu viele falsche Codes. Fordern Sie einen neuen an.",
  "This link is for another account. Sign in to that one first.":
    "Dieser Link gehört zu einem anderen Konto. Melden Sie sich zuerst dort an.",
  "This needs a session.": "Dafür ist eine Sitzung nötig.",
  "This needs the browser's session.": "Dafür ist die Sitzung des Browsers nötig.",
  "This cannot be done in somebody else's place.": "Das geht nicht an der Stelle von jemand anderem.",
  "This cannot be changed here.": "Das kann hier nicht geändert werden.",
  "This account cannot be used.": "Dieses Konto kann nicht verwendet werden.",
  "A restricted proof cannot manage the account.":
    "Ein eingeschränkter Nachweis kann das Konto nicht verwalten.",
  "A restricted proof cannot manage API keys.":
    "Ein eingeschränkter Nachweis kann keine API-Schlüssel verwalten.",
  "You have {count} API keys. Revoke one first.":
    "Sie haben {count} API-Schlüssel. Widerrufen Sie zuerst einen.",
  "The last administrator cannot go.": "Das letzte Administratorkonto kann nicht weg.",
  "The last way to sign in cannot be removed.": "Der letzte Anmeldeweg kann nicht entfernt werden.",
  "No such account is linked.": "Ein solches Konto ist nicht verknüpft.",
  "No such provider is configured.": "Ein solcher Anbieter ist nicht eingerichtet.",
  "Another {provider} account is linked. Unlink it first.":
    "Ein anderes Konto bei {provider} ist verknüpft. Trennen Sie es zuerst.",
  "This {provider} account is linked to another account already.":
    "Dieses Konto bei {provider} ist schon mit einem anderen Konto verknüpft.",
  "You did not allow signing in with {provider}.": "Sie haben die Anmeldung mit {provider} nicht erlaubt.",
  "Email already registered. Sign in as before, then link the account on your account page.":
    "Diese E-Mail-Adresse ist schon registriert. Melden Sie sich an wie bisher und verknüpfen Sie das Konto auf Ihrer Kontoseite.",
  "{provider} gave no email address. Create an account with a password, then link {provider} to it.":
    "Von {provider} kam keine E-Mail-Adresse. Legen Sie ein Konto mit Passwort an und verknüpfen Sie {provider} damit.",
  "{provider} has not confirmed your email address. Create an account with a password, then link {provider} to it.":
    "Ihre E-Mail-Adresse ist bei {provider} nicht bestätigt. Legen Sie ein Konto mit Passwort an und verknüpfen Sie {provider} damit.",
  "The account is suspended.": "Das Konto ist gesperrt.",
  "The account is deleted.": "Das Konto ist gelöscht.",
  "The body is not UTF-8.": "Der Inhalt ist kein UTF-8.",
  "A key cannot be used.": "Ein Schlüssel kann nicht verwendet werden.",
  "The field is given twice.": "Das Feld ist zweimal angegeben.",
  "You are signed in already.": "Sie sind schon angemeldet.",
};
