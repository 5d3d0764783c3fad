import type { JsonPath } from './jsonc.ts'

const PLAIN = /^[\w$-]+$/

/** A path as people write it: `provider.llama-swap.models["gpt-4.1"].limit`. */
export function showJsonPath(path: JsonPath): string {
  return path
    .map((name, i) => (PLAIN.test(name) ? `${i === 0 ? '' : '.'}${name}` : `[${quoted(name)}]`))
    .join('')
}

/** As JSON, and without what a terminal would act on. */
function quoted(name: string): string {
  return escapedJson(JSON.stringify(name))
}

/** The same JSON without characters that a terminal, or an editor, acts on; line ends stay. */
export function escapedJson(json: string): string {
  return json.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (each) =>
    [...Array(each.length).keys()]
      .map((i) => `\\u${each.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
