import type { Hasher } from "../ports/hasher.ts";
import { argon2Variants } from "./argon2-variants.ts";
import { bcrypt } from "./bcrypt.ts";
import { bcryptVariants } from "./bcrypt-variants.ts";
import { firebaseScrypt } from "./firebase-scrypt.ts";
import { pbkdf2 } from "./pbkdf2.ts";
import { pbkdf2Variants } from "./pbkdf2-variants.ts";
import { scrypt } from "./scrypt.ts";

/** What {@link foreignHashers} takes. */
export interface ForeignHashersOptions {
  /** `base64_signer_key` of a Firebase project, whose hashes then verify; default null. */
  readonly firebaseSignerKey?: string | null;
}

/**
 * Every format of other products that is verified here, within its usual bounds: `passwords({ hashers: [argon2id(),
 * ...foreignHashers()] })`.
 *
 * @throws TypeError for a signer key that is none
 */
export function foreignHashers({ firebaseSignerKey = null }: ForeignHashersOptions = {}): readonly Hasher[] {
  return [
    bcrypt(),
    pbkdf2(),
    argon2Variants(),
    bcryptVariants(),
    pbkdf2Variants(),
    scrypt(),
    ...(firebaseSignerKey === null ? [] : [firebaseScrypt({ signerKey: firebaseSignerKey })]),
  ];
}
