import { createHash } from "node:crypto";
import type { Feature } from "latchkey";
import { type Audit, type AuditOptions, audit } from "latchkey/audit";
import { type Webhooks, webhooks } from "latchkey/webhooks";
import type { Settings } from "./settings/settings.ts";
import { webhookAddress } from "./settings/webhook-kind.ts";

/** The audit log as the settings describe it. `sealSeconds`: 0 for programs beside the server, which seals it. */
export function auditFromSettings(
  { auditRetentionSeconds: retentionSeconds }: Settings,
  options: Pick<AuditOptions, "sealSeconds"> = {},
): Feature<Audit> {
  return audit({ retentionSeconds, ...options });
}

/** The servers that are told of events; null where there is none. The address is what a place in the log is kept under. */
export function webhooksFromSettings({ webhooks: addresses }: Settings): Feature<Webhooks> | null {
  const endpoints = addresses.flatMap((text) => {
    const address = webhookAddress(text);
    if (address === null) return [];
    const { url, secrets, isLocal } = address;
    return [{ name: nameOf(url), url, secret: secrets, allowsPrivateAddresses: isLocal }];
  });
  return endpoints.length === 0 ? null : webhooks({ endpoints });
}

/** The addresses of those servers, by the name that `latchkey audit followers` calls them by. */
export function webhookFollowers({
  webhooks: addresses,
}: Pick<Settings, "webhooks">): ReadonlyMap<string, string> {
  const urls = addresses.flatMap((text) => webhookAddress(text)?.url ?? []);
  return new Map(urls.map((url) => [`webhook:${nameOf(url)}`, url]));
}

/** Whether a follower has the kind of name that an address in WEBHOOKS gives. */
export function isNamedByAddress(follower: string): boolean {
  return /^webhook:[0-9a-f]{16}$/.test(follower);
}

function nameOf(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, 16);
}
