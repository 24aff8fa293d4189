import type { LanguageTable } from "./table.ts";

/** What each error code means, in Spanish. */
export const explanations: LanguageTable["explanations"] = {
  invalid_input:
    "Cada campo que no se puede aceptar figura en `errors`, con un motivo. Corríjalos y vuelva a enviar la solicitud.",
  malformed_json:
    "El contenido no se puede interpretar, no es UTF-8 o tiene una clave dos veces. Programas que lo lean de forma distinta no deben poder discrepar.",
  malformed_request: "La solicitud terminó antes de tiempo o no cumple HTTP. Vuelva a enviarla, completa.",
  password_rejected:
    "La contraseña es demasiado corta o demasiado larga, está entre las más comunes, o es un nombre o una dirección de la persona o del sitio. Los motivos están en `errors`.",
  token_invalid:
    "Un enlace que llegó por correo, o que mostró el servidor, funciona una sola vez y durante poco tiempo. Pida uno nuevo.",
  provider_refused:
    "La respuesta del proveedor no se dio por buena, es de otro navegador, ya se había usado o tiene más de diez minutos. El registro de auditoría dice cuál fue, en `oauth.refused`. Empiece de nuevo.",
  not_authenticated:
    "La solicitud no demuestra quién la envía, o lleva una clave de API que no se puede usar. Inicie sesión, o envíe una cookie de sesión o una clave que esté completa, no haya caducado y se pueda usar desde donde usted está.",
  session_expired:
    "La sesión estuvo demasiado tiempo sin usarse, llegó al final de su vida o se cerró en otro lugar: al cerrar todas las sesiones o al cambiar la contraseña. Vuelva a iniciar sesión.",
  token_reused:
    "Un token de renovación se usó por segunda vez. Lo tenían dos, y nadie puede saber para cuál era: la sesión ha terminado. Vuelva a iniciar sesión.",
  invalid_credentials:
    "Ninguna cuenta tiene este correo o nombre de usuario con esta contraseña. Cuál de los dos es incorrecto no se dice, a propósito.",
  forbidden: "Se sabe quién envía la solicitud, y no puede hacer esto. Volver a iniciar sesión no ayuda.",
  fresh_auth_required:
    "Lo que se pide necesita una prueba reciente de identidad. Confirme la contraseña (`POST /auth/reauthenticate`) y vuelva a enviar la solicitud.",
  password_change_required:
    "La contraseña de la cuenta la puso otra persona. Hasta que su titular elija otra (`PUT /users/me/password`), la cuenta solo puede cerrar sesión; también se rechazan sus claves y tokens.",
  csrf_required:
    "Una solicitud que cambia algo y se apoya en una cookie de sesión debe llevar el token CSRF de la sesión, en la cabecera `X-CSRF-Token` o en el campo de formulario `_token`. `GET /auth/csrf` da uno.",
  csrf_failed:
    "El token CSRF es de otra sesión. También ocurre cuando la sesión recibió un identificador nuevo en otra pestaña: vuelva a cargar la página o el token.",
  origin_rejected:
    "El navegador dice que la solicitud la envió una página de otro sitio. Solo pueden hacerlo el sitio configurado y los de confianza.",
  form_token_stale:
    "Un formulario funciona una sola vez, durante una hora. Se envió dos veces, es demasiado antiguo o se abrió en otro navegador. El formulario vuelve con un token que funciona.",
  registration_closed: "Aquí las cuentas las crea un operador. Pídasela.",
  not_found: "En esta dirección no hay nada, o nada que usted pueda conocer.",
  method_not_allowed: "La cabecera `Allow` nombra los métodos a los que responde esta dirección.",
  email_taken: "Alguien tiene una cuenta con esta dirección. Si es usted, inicie sesión.",
  username_taken: "Alguien tiene este nombre de usuario. Elija otro.",
  conflict:
    "Otra persona cambió lo mismo entre su lectura y su escritura, o el cambio dejaría el sistema sin cuenta de administración. Vuelva a cargarlo y mírelo.",
  payload_too_large: "El contenido es mayor que todo lo que acepta esta dirección.",
  unsupported_media_type:
    "El contenido es `application/json` o `application/x-www-form-urlencoded`, en UTF-8.",
  rate_limited:
    "Demasiados intentos en muy poco tiempo. La cabecera `Retry-After` dice, en segundos, cuándo contará el siguiente.",
  provider_unavailable:
    "El proveedor no respondió a tiempo, respondió demasiado o nos envió a otro lugar. No se ha cambiado nada. Vuelva a intentarlo dentro de un momento o inicie sesión de otra forma.",
  overloaded:
    "Hay más contraseñas esperando comprobación de las que el servidor admite. No se ha probado nada ni se ha gastado ningún intento. Vuelva a intentarlo pasados `Retry-After` segundos.",
  store_unavailable:
    "Una base de datos no responde. Por eso no se cierra la sesión de nadie ni se deja pasar nada. Vuelva a intentarlo dentro de un momento.",
  internal_error: "Un fallo del servidor. Está en el registro, con el identificador de la solicitud.",
};
