/** Locks that are no rows, by number; numbers of its own among those of the application in the same database. */
export const advisoryLocks = {
  migrations: 0x4c4b_0001,
  empty: 0x4c4b_0002,
  superusers: 0x4c4b_0003,
  audit: 0x4c4b_0004,
} as const;
