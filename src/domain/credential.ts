import type { ApiKey } from "./api-key.ts";
import type { LinkedAccount } from "./linked-account.ts";

/** A password hash together with what was done to the password before hashing. */
export interface EncodedPassword {
  /** PHC or product-specific string; unbounded text. */
  readonly encoded: string;
  /** `nfc-1` for hashes made here; `raw` for hashes that another product made over the bytes as typed. */
  readonly normalization: "nfc-1" | "raw";
}

/** How a user proves identity by a password. */
export interface PasswordCredential extends EncodedPassword {
  readonly kind: "password";
  readonly id: string;
  readonly userId: string;
  /** Counts writes of this row, for compare-and-swap. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One way a user proves identity; a union on `kind`, to which passkeys are added. */
export type Credential = PasswordCredential | LinkedAccount | ApiKey;
