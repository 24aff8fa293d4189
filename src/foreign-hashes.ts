// The subpath `latchkey/foreign-hashes`.
export { type Argon2Bounds, argon2Variants } from "./password/argon2-variants.ts";
export { bcryptVariants } from "./password/bcrypt-variants.ts";
export {
  encodeFirebaseHash,
  type FirebaseHash,
  type FirebaseScryptOptions,
  firebaseScrypt,
} from "./password/firebase-scrypt.ts";
export { type ForeignHashersOptions, foreignHashers } from "./password/foreign-hashers.ts";
export { pbkdf2Variants } from "./password/pbkdf2-variants.ts";
export { type ScryptBounds, scrypt } from "./password/scrypt.ts";
