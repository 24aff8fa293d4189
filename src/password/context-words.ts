/** Who is choosing a password, and where. Null: not known. */
export interface PasswordOwner {
  readonly email: string | null;
  readonly username: string | null;
  readonly name: string | null;
  /** Host name of the service: `app.example`. */
  readonly host: string;
}

/**
 * The words that a guesser who knows the person and the service would try first: addresses and names, whole, in parts
 * and written together, and the labels of host names.
 *
 * @see NIST SP 800-63B-4, section 3.1.1.2: context-specific words
 */
export function contextWords(owner: PasswordOwner): readonly string[] {
  const [local = "", domain = ""] = (owner.email ?? "").split("@");
  const wholes = [owner.email ?? "", local, owner.username ?? "", owner.name ?? "", domain, owner.host];
  const words = wholes.flatMap((whole) => {
    const parts = whole.split(/[\s._@+-]+/u);
    return [whole.trim(), ...whole.split("."), ...parts, parts.join("")];
  });
  return [...new Set(words)].filter((word) => word !== "");
}
