/** `{env:NAME}` or `{file:path}` in a text. */
export type Placeholder = { kind: 'env' | 'file'; name: string; offset: number }

const PLACEHOLDERS = /\{(env|file):([^{}]+)\}/g

/** All places of a text in which OpenCode 1.18 puts something else before it reads it: also in comments. */
export function placeholdersIn(text: string): Placeholder[] {
  return [...text.matchAll(PLACEHOLDERS)].flatMap(([, kind, name = ''], i, all): Placeholder[] => {
    const offset = all[i]?.index ?? 0
    if (kind === 'env') return [{ kind, name, offset }]
    return isOnCommentLine(text, offset) ? [] : [{ kind: 'file', name, offset }]
  })
}

/** The only comments in which OpenCode leaves `{file:}` alone. */
function isOnCommentLine(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf('\n', offset) + 1
  return text.slice(lineStart, offset).trimStart().startsWith('//')
}

const TOKENS = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\/|\{(env|file):([^{}]+)\}/g

/**
 * Replaces what stands outside of quotes and comments, so that the rest is JSON: `"context": {env:CONTEXT}`. What is in
 * quotes is JSON as it is, and may be a key.
 */
export function substituteBare(
  text: string,
  valueOf: (placeholder: Pick<Placeholder, 'kind' | 'name'>) => string,
): string {
  return text.replaceAll(TOKENS, (token: string, kind?: 'env' | 'file', name = '') =>
    kind === undefined ? token : valueOf({ kind, name }),
  )
}
