import { AuthError } from "../errors.ts";
import type { Intent } from "../ports/policy.ts";
import type { Services } from "../ports/services.ts";
import type { Awaitable } from "../ports/store.ts";

/**
 * Asks the policies in their order, until one refuses.
 *
 * @param onVeto - puts the refusal on record, before it is thrown
 * @throws AuthError `forbidden`, with the policy's sentence; what a policy or `onVeto` throws
 */
export async function assertAdmitted(
  { policies }: Pick<Services, "policies">,
  intent: Intent,
  onVeto: () => Awaitable<unknown> = () => undefined,
): Promise<void> {
  for (const policy of policies) {
    const veto = await policy(intent);
    if (veto === null) continue;
    await onVeto();
    throw new AuthError("forbidden", { message: veto });
  }
}
