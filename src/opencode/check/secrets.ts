/** What a variable of the environment can be called (POSIX, XBD 8.1). */
const VARIABLE = /^[A-Za-z_]\w*$/
const LOOKS_LIKE_A_KEY = /\bsk-[\w-]{16,}/g

/** Whether a text can be the name of a variable. What cannot may be the key itself, so it is never repeated. */
export function isVariableName(text: string): boolean {
  return VARIABLE.test(text)
}

/** Words of others without what looks like a key in them, and without the one that was sent. */
export function withoutKeys(text: string, sent?: string): string {
  const rest = sent ? text.replaceAll(sent, '<the key>') : text
  return rest.replaceAll(LOOKS_LIKE_A_KEY, '<a key>')
}
