import { createPrivateKey } from "node:crypto";
import { exactOrigin } from "./address-kinds.ts";
import { choice, type Kind, list } from "./kind.ts";
import type { ProviderSettings } from "./settings.ts";

/** The rows of sign-in with providers, by the field that each becomes. */
type ProviderRows = {
  readonly [F in keyof ProviderSettings]: {
    readonly name: string;
    readonly kind: Kind<NonNullable<ProviderSettings[F]>>;
    readonly default: null extends ProviderSettings[F] ? string | null : string;
    readonly meaning: string;
    readonly aliases?: readonly { readonly name: string }[];
    readonly isSecret?: boolean;
  };
};

/** Sign-in with providers. */
export const providerRows: ProviderRows = {
  ...{
    googleClientId: clientId("GOOGLE", "Google", "OAUTH_GOOGLE_CLIENT_ID"),
    googleClientSecret: clientSecret("GOOGLE", "OAUTH_GOOGLE_CLIENT_SECRET"),
    githubClientId: clientId("GITHUB", "GitHub", "OAUTH_GITHUB_CLIENT_ID"),
    githubClientSecret: clientSecret("GITHUB", "OAUTH_GITHUB_CLIENT_SECRET"),
    microsoftClientId: clientId("MICROSOFT", "Microsoft"),
    microsoftClientSecret: clientSecret("MICROSOFT"),
  },
  microsoftTenant: {
    name: "MICROSOFT_TENANT",
    kind: word("a directory's id or domain"),
    default: "common",
    meaning:
      "Whose accounts may sign in with Microsoft: a directory's id or domain, `organizations`, `consumers`, or `common` for both.",
  },
  appleClientId: {
    name: "APPLE_CLIENT_ID",
    kind: word("an identifier"),
    default: null,
    meaning:
      "Identifier of the Services ID. With the three settings below, people sign in with Apple. The redirect URI to register is `<ORIGIN><BASE_PATH>/auth/oauth/callback/apple`.",
  },
  appleTeamId: {
    name: "APPLE_TEAM_ID",
    kind: word("an identifier"),
    default: null,
    meaning: "The team that the key below belongs to.",
  },
  appleKeyId: {
    name: "APPLE_KEY_ID",
    kind: word("an identifier"),
    default: null,
    meaning: "Identifier of the key below.",
  },
  applePrivateKey: {
    name: "APPLE_PRIVATE_KEY",
    kind: ellipticKey(),
    default: null,
    meaning: "The key as Apple gave it. Line breaks may be written as `\\n`.",
    isSecret: true,
  },
  gitlabClientId: clientId("GITLAB", "GitLab"),
  gitlabClientSecret: clientSecret("GITLAB"),
  gitlabUrl: {
    name: "GITLAB_URL",
    kind: httpsAddress(),
    default: "https://gitlab.com",
    meaning: "Address of a GitLab of one's own.",
  },
  discordClientId: clientId("DISCORD", "Discord"),
  discordClientSecret: clientSecret("DISCORD"),
  oidcIssuer: {
    name: "OIDC_ISSUER",
    kind: httpsAddress(),
    default: null,
    meaning:
      "Any other provider of OpenID Connect: its issuer, where `/.well-known/openid-configuration` is found.",
  },
  oidcClientId: clientId("OIDC", "the provider of OIDC_ISSUER"),
  oidcClientSecret: clientSecret("OIDC"),
  oidcLabel: {
    name: "OIDC_LABEL",
    kind: label(),
    default: "OpenID Connect",
    meaning: "What the provider of OIDC_ISSUER is called on the sign-in page.",
  },
  oauthRedirectBaseUrl: {
    name: "OAUTH_REDIRECT_BASE_URL",
    kind: exactOrigin(),
    default: null,
    meaning:
      "Where providers send browsers back to, where a proxy listens on another port than ORIGIN says: the same scheme and host. Left out, ORIGIN.",
  },
  linkByEmail: {
    name: "OAUTH_LINK_BY_EMAIL",
    kind: list(choice(["google", "apple"])),
    default: "",
    meaning:
      "Providers that run mailboxes and whose verified address may find the account that it belongs to. Left out, people sign in as before and link on their account page.",
  },
  freshWithoutAuthTime: {
    name: "OAUTH_FRESH_WITHOUT_AUTH_TIME",
    kind: list(choice(["google", "github", "microsoft", "apple", "gitlab", "discord", "oidc"])),
    default: "",
    meaning:
      "Providers whose answer to signing in again counts as a fresh proof although they do not say when they last asked the person, so that a click may be all that it takes. Left out, people without a password need a link from an administrator there before they change their address or delete their account.",
  },
};

function clientId(prefix: string, label: string, alias?: string) {
  const path = `<ORIGIN><BASE_PATH>/auth/oauth/callback/${prefix.toLowerCase()}`;
  return {
    name: `${prefix}_CLIENT_ID`,
    kind: word("an identifier"),
    default: null,
    meaning: `With ${prefix}_CLIENT_SECRET, people sign in with ${label}. The redirect URI to register is \`${path}\`.`,
    ...(alias !== undefined && { aliases: [{ name: alias }] }),
  };
}

function clientSecret(prefix: string, alias?: string) {
  return {
    name: `${prefix}_CLIENT_SECRET`,
    kind: word("a secret"),
    default: null,
    meaning: `The secret that belongs to ${prefix}_CLIENT_ID.`,
    isSecret: true,
    ...(alias !== undefined && { aliases: [{ name: alias }] }),
  };
}

/** Visible ASCII without blanks, as providers hand out. */
function word(accepts: string): Kind<string> {
  return {
    accepts,
    unit: null,
    read: (text) =>
      /^[\x21-\x7e]{1,512}$/.test(text)
        ? { ok: true, value: text }
        : { ok: false, problem: "is nothing that a provider hands out", fix: "Copy it again, whole." },
  };
}

function label(): Kind<string> {
  return {
    accepts: "1 to 40 characters",
    unit: null,
    read: (text) =>
      text.length <= 40 && !/\p{Cc}/u.test(text)
        ? { ok: true, value: text }
        : { ok: false, problem: "is no short name", fix: "Write at most 40 characters." },
  };
}

function httpsAddress(): Kind<string> {
  return {
    accepts: "an https address",
    unit: null,
    read: (text) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      const isPlain =
        url?.protocol === "https:" && url.search === "" && url.hash === "" && url.username === "";
      if (isPlain) return { ok: true, value: text };
      const fix = "Write it as in https://idp.example, without a query.";
      return { ok: false, problem: "is no https address", fix };
    },
  };
}

function ellipticKey(): Kind<string> {
  return {
    accepts: "a PKCS #8 key, PEM",
    unit: null,
    read: (text) => {
      const pem = text.replaceAll("\\n", "\n");
      try {
        const isElliptic = createPrivateKey(pem).asymmetricKeyType === "ec";
        if (isElliptic && pem.startsWith("-----BEGIN PRIVATE KEY-----")) return { ok: true, value: pem };
      } catch {
        // Said below, without what the key's reader says of its text.
      }
      return {
        ok: false,
        problem: "is no elliptic-curve key in PEM",
        fix: "Copy the whole .p8 file, first and last line included.",
      };
    },
  };
}
