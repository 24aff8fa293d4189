import type { Sentences } from "./sentences.ts";

/** Refusals in Spanish, by the English sentence. */
export const sentences: Sentences = {
  "The request has fields that cannot be accepted.": "La solicitud tiene campos que no se pueden aceptar.",
  "The body is not valid JSON.": "El contenido no es JSON válido.",
  "The request cannot be read.": "La solicitud no se puede leer.",
  "The password cannot be used.": "La contraseña no se puede usar.",
  "The link or token is unknown, used or expired.":
    "El enlace o el token es desconocido, ya se ha usado o ha caducado.",
  "Signing in with the provider did not work. Please start again.":
    "No se ha podido iniciar sesión con el proveedor. Empiece de nuevo.",
  "Sign in to continue.": "Inicie sesión para continuar.",
  "The session has ended. Sign in again.": "La sesión ha terminado. Vuelva a iniciarla.",
  "The refresh token was used before. Sign in again.":
    "El token de renovación ya se había usado. Vuelva a iniciar sesión.",
  "Invalid email or password": "El correo o la contraseña no son correctos",
  "You may not do this.": "No puede hacer esto.",
  "Confirm your password to continue.": "Confirme su contraseña para continuar.",
  "Choose a new password to continue.": "Elija una contraseña nueva para continuar.",
  "The request carries no CSRF token.": "La solicitud no lleva token CSRF.",
  "The CSRF token does not belong to this session.": "El token CSRF no es de esta sesión.",
  "The request comes from another origin.": "La solicitud viene de otro sitio.",
  "Invalid form token. Please refresh and try again.":
    "El formulario ya no es válido. Vuelva a cargarlo e inténtelo otra vez.",
  "Registration is closed.": "El registro está cerrado.",
  "There is nothing here.": "Aquí no hay nada.",
  "This address does not answer to that method.": "Esta dirección no responde a ese método.",
  "Email already registered": "Ese correo ya está registrado",
  "Username already taken": "Ese nombre de usuario ya está en uso",
  "Somebody else changed this in the meantime. Load it again.":
    "Otra persona lo ha cambiado entretanto. Vuelva a cargarlo.",
  "The body is too large.": "El contenido es demasiado grande.",
  "Send JSON or a form.": "Envíe JSON o un formulario.",
  "Too many requests. Please try again later.": "Demasiadas solicitudes. Vuelva a intentarlo más tarde.",
  "The provider does not answer as it should. Please try again in a moment.":
    "El proveedor no responde como debería. Vuelva a intentarlo dentro de un momento.",
  "The server is busy. Please try again in a moment.":
    "El servidor está ocupado. Vuelva a intentarlo dentro de un momento.",
  "The service is temporarily unavailable.": "El servicio no está disponible temporalmente.",
  "Something went wrong.": "Algo ha salido mal.",
  "Email is required": "Escriba un correo electrónico",
  "Email or username is required": "Escriba el correo electrónico o el nombre de usuario",
  "This is not an email address": "Esto no es una dirección de correo",
  "Username is required": "Escriba un nombre de usuario",
  "3 to 32 letters, digits, dots, dashes or underscores; some names are reserved":
    "De 3 a 32 letras, cifras, puntos, guiones o guiones bajos; algunos nombres están reservados",
  "At most {count} characters": "Como máximo {count} caracteres",
  "Control characters cannot be used": "No se pueden usar caracteres de control",
  "Control characters cannot be used.": "No se pueden usar caracteres de control.",
  "A language tag such as en or pt-BR": "Un código de idioma como en o pt-BR",
  "Name is required": "Escriba un nombre",
  "Password is required": "Escriba una contraseña",
  "Current password is required": "Escriba la contraseña actual",
  "New password is required": "Escriba una contraseña nueva",
  "Passwords do not match": "Las contraseñas no coinciden",
  "Password must be at least {count} characters": "La contraseña debe tener al menos {count} caracteres",
  "Password is too long": "La contraseña es demasiado larga",
  "Password contains characters that cannot be used":
    "La contraseña contiene caracteres que no se pueden usar",
  "Password must not be a name or address of yours or of this site":
    "La contraseña no puede ser un nombre ni una dirección de usted o de este sitio",
  "Password is too common": "La contraseña es demasiado común",
  "Password is known from a data breach; choose another":
    "La contraseña aparece en una filtración de datos; elija otra",
  "Password must contain an uppercase letter": "La contraseña debe contener una mayúscula",
  "Password must contain a lowercase letter": "La contraseña debe contener una minúscula",
  "Password must contain a digit": "La contraseña debe contener una cifra",
  "Password must contain a symbol": "La contraseña debe contener un símbolo",
  "Choose another password than the one you have": "Elija una contraseña distinta de la que tiene",
  "Current password is incorrect": "La contraseña actual no es correcta",
  "Enter the password that you chose when registering": "Escriba la contraseña que eligió al registrarse",
  "This is not the password that was chosen when registering":
    "Esta no es la contraseña que se eligió al registrarse",
  "The code is wrong, used or expired.": "El código es incorrecto, ya se ha usado o ha caducado.",
  "You do not have the permission {permission}": "No tiene el permiso {permission}",
  "Confirm your password to change your email address":
    "Confirme su contraseña para cambiar su correo electrónico",
  "Confirm your password to change how you sign in":
    "Confirme su contraseña para cambiar su forma de iniciar sesión",
  "Confirm your password to delete your account": "Confirme su contraseña para eliminar su cuenta",
  "Sign in again to change your email address.":
    "Vuelva a iniciar sesión para cambiar su correo electrónico.",
  "Sign in again to change how you sign in.": "Vuelva a iniciar sesión para cambiar su forma de entrar.",
  "Sign in again to delete your account.": "Vuelva a iniciar sesión para eliminar su cuenta.",
  "Sign in again to continue.": "Vuelva a iniciar sesión para continuar.",
  "The form is not known.": "Ese formulario no se conoce.",
  "Send a form.": "Envíe un formulario.",
  "That session has ended already.": "Esa sesión ya había terminado.",
  "Your account may not open that page.": "Su cuenta no puede abrir esa página.",
  "Too many failed login attempts. Please try again later.":
    "Demasiados intentos fallidos de inicio de sesión. Vuelva a intentarlo más tarde.",
  "Too many failed login attempts. Reset the password, or sign in in a browser that you have used before.":
    "Demasiados intentos fallidos de inicio de sesión. Elija una contraseña nueva o inicie sesión en un navegador que ya haya usado.",
  "Too many wrong codes. Ask for a new one.": "Demasiados códigos incorrectos. Pida uno nuevo.",
  "This link is for another account. Sign in to that one first.":
    "Este enlace es para otra cuenta. Inicie sesión primero en ella.",
  "This needs a session.": "Para esto hace falta una sesión.",
  "This needs the browser's session.": "Para esto hace falta la sesión del navegador.",
  "This cannot be done in somebody else's place.": "Esto no se puede hacer en nombre de otra persona.",
  "This cannot be changed here.": "Esto no se puede cambiar aquí.",
  "This account cannot be used.": "Esta cuenta no se puede usar.",
  "A restricted proof cannot manage the account.": "Una credencial limitada no puede gestionar la cuenta.",
  "A restricted proof cannot manage API keys.": "Una credencial limitada no puede gestionar claves de API.",
  "You have {count} API keys. Revoke one first.": "Tiene {count} claves de API. Revoque una primero.",
  "The last administrator cannot go.": "La última cuenta de administración no se puede quitar.",
  "The last way to sign in cannot be removed.": "La última forma de iniciar sesión no se puede quitar.",
  "No such account is linked.": "No hay ninguna cuenta así vinculada.",
  "No such provider is configured.": "No hay ningún proveedor así configurado.",
  "Another {provider} account is linked. Unlink it first.":
    "Hay otra cuenta de {provider} vinculada. Desvincúlela primero.",
  "This {provider} account is linked to another account already.":
    "Esta cuenta de {provider} ya está vinculada a otra cuenta.",
  "You did not allow signing in with {provider}.": "No ha permitido iniciar sesión con {provider}.",
  "Email already registered. Sign in as before, then link the account on your account page.":
    "Ese correo ya está registrado. Inicie sesión como siempre y vincule la cuenta en la página de su cuenta.",
  "{provider} gave no email address. Create an account with a password, then link {provider} to it.":
    "{provider} no ha dado ninguna dirección de correo. Cree una cuenta con contraseña y vincúlela después con {provider}.",
  "{provider} has not confirmed your email address. Create an account with a password, then link {provider} to it.":
    "{provider} no ha confirmado su dirección de correo. Cree una cuenta con contraseña y vincúlela después con {provider}.",
  "The account is suspended.": "La cuenta está suspendida.",
  "The account is deleted.": "La cuenta está eliminada.",
  "The body is not UTF-8.": "El contenido no es UTF-8.",
  "A key cannot be used.": "Una clave no se puede usar.",
  "The field is given twice.": "El campo aparece dos veces.",
  "You are signed in already.": "Ya tiene la sesión iniciada.",
};
