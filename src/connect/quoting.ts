const PLAIN_WORD = /^[\w@%+=:,./-]+$/

/** A word as a POSIX shell reads it back unchanged: in single quotes where it is not plain. */
export function shellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** A basic string of TOML 1.0: JSON's escapes, and one for DEL, which TOML does not take as it is. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007F', String.raw`\u007F`)
}

/** A double-quoted scalar of YAML 1.2, whose escapes are those of JSON and more. */
export function yamlString(text: string): string {
  return JSON.stringify(text)
}
