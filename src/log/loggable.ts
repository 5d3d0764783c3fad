/** A run of characters that may be a key typed into the wrong place. */
const MAYBE_SECRET = /sk-[\w-]{4,}|[\w-]{24,}/g
const LONGEST = 120

/** A path or a model's name as a log may hold it: cut short, and with nothing in it that could be a key. */
export function loggablePath(path: string): string {
  return path.replace(MAYBE_SECRET, '…').slice(0, LONGEST)
}

/** A model's name for the log; names are long, so only what looks like a generated key is left out. */
export function loggableModel(model: string | undefined): string | undefined {
  return model?.replace(/sk-[\w-]{16,}/g, '…').slice(0, LONGEST)
}
