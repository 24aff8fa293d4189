import type { LanguageTable } from "./table.ts";

/** What each error code means, in German. */
export const explanations: LanguageTable["explanations"] = {
  invalid_input:
    "Jedes Feld, das nicht angenommen werden kann, steht mit einem Grund unter `errors`. Verbessern Sie diese Felder und senden Sie die Anfrage noch einmal.",
  malformed_json:
    "Der Inhalt lässt sich nicht lesen, ist kein UTF-8 oder hat einen Schlüssel zweimal. Programme, die ihn verschieden lesen, sollen sich nicht widersprechen können.",
  malformed_request:
    "Die Anfrage endete zu früh oder verletzt HTTP. Senden Sie sie noch einmal, vollständig.",
  password_rejected:
    "Das Passwort ist zu kurz oder zu lang, gehört zu den verbreitetsten oder ist ein Name oder eine Adresse der Person oder der Website. Die Gründe stehen unter `errors`.",
  token_invalid:
    "Ein Link, der per E-Mail kam oder vom Server angezeigt wurde, funktioniert einmal und kurze Zeit. Fordern Sie einen neuen an.",
  provider_refused:
    "Der Antwort des Anbieters wurde nicht geglaubt, sie gehört zu einem anderen Browser, wurde schon benutzt oder ist älter als zehn Minuten. Das Protokoll sagt unter `oauth.refused`, was es war. Fangen Sie noch einmal an.",
  not_authenticated:
    "Die Anfrage weist nicht nach, wer sie sendet, oder hat einen API-Schlüssel, der nicht verwendet werden kann. Melden Sie sich an, oder senden Sie ein Sitzungscookie oder einen Schlüssel, der vollständig und nicht abgelaufen ist und dort verwendet werden darf, wo Sie sind.",
  session_expired:
    "Die Sitzung war zu lange unbenutzt, hat das Ende ihrer Zeit erreicht oder wurde anderswo beendet: durch Abmelden überall oder durch ein geändertes Passwort. Melden Sie sich erneut an.",
  token_reused:
    "Ein Refresh-Token wurde ein zweites Mal benutzt. Zwei hatten es, und niemand weiß, für wen es gedacht war: Die Sitzung ist beendet. Melden Sie sich erneut an.",
  invalid_credentials:
    "Kein Konto hat diese E-Mail-Adresse oder diesen Benutzernamen mit diesem Passwort. Was davon falsch ist, wird absichtlich nicht gesagt.",
  forbidden: "Wer die Anfrage sendet, ist bekannt und darf das nicht. Sich neu anzumelden hilft nicht.",
  fresh_auth_required:
    "Was verlangt wurde, braucht einen frischen Nachweis der Identität. Bestätigen Sie das Passwort (`POST /auth/reauthenticate`) und senden Sie die Anfrage noch einmal.",
  password_change_required:
    "Das Passwort des Kontos hat jemand anderes festgelegt. Bis die Inhaberin oder der Inhaber ein anderes gewählt hat (`PUT /users/me/password`), kann das Konto sich nur abmelden; auch seine Schlüssel und Token werden abgelehnt.",
  csrf_required:
    "Eine Anfrage, die etwas ändert und auf einem Sitzungscookie beruht, muss das CSRF-Token der Sitzung haben, im Header `X-CSRF-Token` oder im Formularfeld `_token`. `GET /auth/csrf` gibt eines aus.",
  csrf_failed:
    "Das CSRF-Token gehört zu einer anderen Sitzung. Das kommt auch vor, wenn die Sitzung in einem anderen Tab eine neue Kennung bekam: Laden Sie die Seite oder das Token neu.",
  origin_rejected:
    "Der Browser sagt, dass die Seite einer anderen Website die Anfrage gesendet hat. Das dürfen nur die eingestellte Website und solche, denen vertraut wird.",
  form_token_stale:
    "Ein Formular funktioniert einmal und eine Stunde lang. Es wurde zweimal gesendet, ist zu alt oder wurde in einem anderen Browser geöffnet. Das Formular kommt mit einem Token zurück, das funktioniert.",
  registration_closed: "Konten legt hier der Betreiber an. Wenden Sie sich an ihn.",
  not_found: "Unter dieser Adresse ist nichts, oder nichts, wovon Sie wissen dürfen.",
  method_not_allowed: "Der Header `Allow` nennt die Methoden, auf die diese Adresse antwortet.",
  email_taken: "Jemand hat ein Konto mit dieser Adresse. Wenn Sie es sind, melden Sie sich an.",
  username_taken: "Jemand hat diesen Benutzernamen. Wählen Sie einen anderen.",
  conflict:
    "Jemand anderes hat dasselbe zwischen Ihrem Lesen und Ihrem Schreiben geändert, oder die Änderung ließe das System ohne Administratorkonto zurück. Laden Sie es neu und sehen Sie nach.",
  payload_too_large: "Der Inhalt ist größer als alles, was diese Adresse annimmt.",
  unsupported_media_type:
    "Inhalte sind `application/json` oder `application/x-www-form-urlencoded`, in UTF-8.",
  rate_limited:
    "Zu viele Versuche in zu kurzer Zeit. Der Header `Retry-After` sagt in Sekunden, wann der nächste zählt.",
  provider_unavailable:
    "Der Anbieter hat nicht rechtzeitig geantwortet, zu viel geantwortet oder uns anderswohin geschickt. Es wurde nichts geändert. Versuchen Sie es gleich noch einmal, oder melden Sie sich auf anderem Weg an.",
  overloaded:
    "Es warten mehr Passwörter auf ihre Prüfung, als der Server annimmt. Es wurde nichts versucht und kein Versuch verbraucht. Versuchen Sie es nach `Retry-After` Sekunden noch einmal.",
  store_unavailable:
    "Eine Datenbank antwortet nicht. Dadurch wird niemand abgemeldet und niemand durchgelassen. Versuchen Sie es gleich noch einmal.",
  internal_error: "Ein Fehler des Servers. Er steht im Protokoll, unter der Kennung der Anfrage.",
};
