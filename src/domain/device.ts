/** For how long a browser that signed in is known, counted from its last sign-in: 180 days. */
export const deviceTtlSeconds: number = 180 * 86_400;

const tokenShape = /^([A-Za-z0-9]{22})\.([A-Za-z0-9_-]{43})$/;

/** What a device cookie carries. It gives no rights: guesses from this browser are counted for themselves, and that is all. */
export interface DeviceToken {
  readonly id: string;
  /** 256 bits, base64url. */
  readonly secret: string;
}

/** Reads `id.secret`; null for what was never handed out in this form. */
export function parseDeviceToken(text: string): DeviceToken | null {
  const match = text.length === 66 ? tokenShape.exec(text) : null;
  return match === null ? null : { id: match[1] as string, secret: match[2] as string };
}
