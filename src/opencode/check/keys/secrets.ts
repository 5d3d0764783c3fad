/** What a variable of the environment can be called (POSIX, XBD 8.1). */
const VARIABLE = /^[A-Za-z_]\w*$/
const LOOKS_LIKE_A_KEY = /\bsk-[\w-]{16,}/g

/**
 * Whether a text is the name of a variable. What is not may be the key itself, so it is never repeated: also a long or
 * random text that could be a name, but is the name of none that is set.
 */
export function isVariableName(text: string, variables: ReadonlySet<string>): boolean {
  return VARIABLE.test(text) && (variables.has(text) || !isLikeAKey(text))
}

/** Whether a text is the path of a file, which can be repeated, and not a key in its place. */
export function isFileName(text: string): boolean {
  const isPath = /[/.]/.test(text) && !/[+=]|\bsk-/i.test(text)
  return isPath && !text.split(/[/.]/).some(isLikeAKey)
}

/** Longer than names are, or of letters and digits as chance mixes them. */
export function isLikeAKey(text: string): boolean {
  return text.length > 40 || (text.length >= 20 && /\d/.test(text) && /[a-z]/.test(text))
}

/** How shells and other programs write what OpenCode writes as `{env:NAME}`. */
const BRACED = /^\$\{(?:env:)?(\w+)\}$|^%([A-Z]\w*)%$|^\$env:(\w+)$/
const BARE = /^\$(\w+)$/
const USUAL_NAME = /^[A-Z]+(?:_[A-Z\d]+)*$/

/** Whether a text can be thrown away as the name of a variable: nobody has `hunter2` as one, unless it is set. */
export function isSurelyName(text: string, variables: ReadonlySet<string>): boolean {
  return variables.has(text) || (USUAL_NAME.test(text) && isVariableName(text, variables))
}

/**
 * The variable that somebody else would put in the place of a text, but OpenCode does not. Undefined for all that may be
 * the key itself.
 */
export function variableElsewhere(
  text: string,
  variables: ReadonlySet<string>,
): string | undefined {
  const held = text.trim().replace(/^Bearer\s+/i, '')
  const braced = BRACED.exec(held)?.slice(1).find(Boolean)
  const bare = BARE.exec(held)?.[1]
  const isUsual = bare !== undefined && (variables.has(bare) || USUAL_NAME.test(bare))
  const name = braced ?? (isUsual ? bare : undefined)
  return name !== undefined && isVariableName(name, variables) ? name : undefined
}

/** Words of others without what looks like a key in them, and without the one that was sent. */
export function withoutKeys(text: string, sent?: string): string {
  const rest = sent ? text.replaceAll(sent, '<the key>') : text
  return rest.replaceAll(LOOKS_LIKE_A_KEY, '<a key>')
}
