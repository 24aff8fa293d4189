/** The backend of sessions answers and cannot be used; `message` is for the terminal. */
export class UnfitBackend extends Error {
  override readonly name: string = "UnfitBackend";
}

/** The folder of the sessions belongs to another process, which runs. */
export class FilesInUse extends UnfitBackend {
  override readonly name = "FilesInUse";
}
