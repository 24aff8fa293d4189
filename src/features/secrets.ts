import { type Reencrypted, type ReencryptOptions, reencrypt } from "../flows/administration/reencrypt.ts";
import { sealed } from "../oauth/sealed.ts";
import type { Feature } from "./feature.ts";

export type { Reencrypted, ReencryptOptions } from "../flows/administration/reencrypt.ts";

/** The change of secrets, for operators. */
export interface Secrets {
  /**
   * Seals what lies under a former secret anew, under the first, and says what still needs a former one; see the flow `reencrypt`.
   *
   * @throws AuthError `store_unavailable`
   */
  reencrypt(options?: ReencryptOptions): Promise<Reencrypted>;
}

/** The change of secrets. Has no routes: who may call it holds the secrets. */
export function secrets(): Feature<Secrets> {
  return {
    name: "secrets",
    install: (services) => {
      const tokens = sealed(services.keys.derived("provider-tokens"));
      return { api: { reencrypt: (options) => reencrypt(services, tokens, options) } };
    },
  };
}
