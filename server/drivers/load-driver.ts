/** The packages that the server can use and does not bring along, with the version that it is tested with. */
export const drivers = {
  pg: "8",
  mysql2: "3",
  redis: "6",
  mongodb: "7",
  memcached: "2",
} as const;

/** A package that the settings need and that is not installed; `message` is for the terminal. */
export class DriverMissing extends Error {
  override readonly name = "DriverMissing";

  /** @param asked - the setting that needs it, without what could be a secret: `SESSION_BACKEND=redis` */
  constructor(asked: string, driver: keyof typeof drivers) {
    super(
      `${asked} needs the package ${driver}, which is not installed. Run: npm install ${driver}@${drivers[driver]}`,
    );
  }
}

/** Imports a driver when it is asked for. @throws DriverMissing; the import's own error where the package is there and broken */
export async function loadDriver<T>(
  asked: string,
  driver: keyof typeof drivers,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw isMissing(error, driver) ? new DriverMissing(asked, driver) : error;
  }
}

// One of the driver's own dependencies that is missing has the same code, and another name in its text.
function isMissing(error: unknown, driver: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`package '${driver}'`)
  );
}
