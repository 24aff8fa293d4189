import { isLoopback } from "latchkey";

/** A header as it is sent. */
export type HeaderLine = readonly [name: string, value: string];

/** What pages may do: show what this origin gives them. No script at all, no frame around them. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

// Only names that browsers know: each unknown one is an error line in the visitor's console.
const switchedOff: readonly string[] = [
  ...["accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "clipboard-write"],
  ...["compute-pressure", "digital-credentials-get", "display-capture", "encrypted-media", "fullscreen"],
  ...["gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection"],
  ...["keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment"],
  ...["picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock"],
  ...["serial", "storage-access", "usb", "window-management", "xr-spatial-tracking"],
];

const twoYearsSeconds = 63_072_000;

/**
 * The headers that every answer of the server carries, errors of the HTTP parser included. `docs/security-headers.md`
 * has the same set with the reasons.
 *
 * @param origin - the configured one; `Strict-Transport-Security` only where it is https and not loopback: a browser
 * that learned it for localhost would refuse every other project there
 * @see OWASP Secure Headers Project; RFC 6797, section 7
 */
export function securityHeaders(origin: string): readonly HeaderLine[] {
  const { protocol, hostname } = new URL(origin);
  const isPublic = protocol === "https:" && !isLoopback(hostname);
  const transport: HeaderLine = [
    "Strict-Transport-Security",
    `max-age=${twoYearsSeconds}; includeSubDomains`,
  ];
  return [
    ["Content-Security-Policy", contentSecurityPolicy],
    ...(isPublic ? [transport] : []),
    ["X-Content-Type-Options", "nosniff"],
    ["X-Frame-Options", "DENY"],
    ["Referrer-Policy", "same-origin"],
    ["Permissions-Policy", switchedOff.map((feature) => `${feature}=()`).join(", ")],
    ["Cross-Origin-Opener-Policy", "same-origin"],
    ["Cross-Origin-Resource-Policy", "same-origin"],
  ];
}
