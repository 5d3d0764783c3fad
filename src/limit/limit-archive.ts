/** What a key has used, as the text that `writeKeyState` makes; an archive does not read it. */
export type ArchivedKey = { keyId: string; text: string }

/** Keeps what keys have used over a restart: a table of key id and text is enough. */
export type LimitArchive = {
  /** All rows; throws where they cannot be read. */
  load(): ArchivedKey[]
  /**
   * Puts these rows in the place of the same keys' older ones, all or none; the others stay. Throws where they cannot be
   * written.
   */
  save(changed: readonly ArchivedKey[]): void
}
