type Env = Readonly<Record<string, string | undefined>>

const ENV_MACRO = /\$\{env\.([A-Za-z_]\w*)\}/g
/** Stands in the text for a variable that is not set: braces would end a list or a mapping of YAML. */
const UNSET = /\uE000(\w+)\uE001/g

/**
 * Puts the values of variables in place of `${env.NAME}` in the text of a file, before it is read as YAML, as llama-swap
 * does. A variable that is not set leaves a mark, which `namesUnset` turns back once the text is read. So does one whose
 * value has several lines: llama-swap refuses it, too.
 */
export function expandEnv(text: string, env: Env): string {
  return text.replace(ENV_MACRO, (_macro, name: string) => {
    // `constructor` and the like are fields of every object.
    const value: unknown = env[name]
    if (typeof value !== 'string' || /[\n\r\0]/.test(value)) return `\uE000${name}\uE001`
    return value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)
  })
}

/** The variables that a text names which was read after `expandEnv`, and the text as it stood in the file. */
export function namesUnset(text: string): { names: string[]; written: string } {
  return {
    names: [...text.matchAll(UNSET)].map(([, name]) => name ?? ''),
    written: text.replace(UNSET, '${env.$1}'),
  }
}
