/** What a key has used, as the text that `writeKeyState` makes. */
export type ArchivedKey = { keyId: string; text: string }

/** Keeps what keys have used over a restart: a table of key id and text is enough. */
export type LimitArchive = {
  load(): ArchivedKey[]
  /** Puts these rows in the place of the same keys' older ones; the others stay. */
  save(changed: readonly ArchivedKey[]): void
}
