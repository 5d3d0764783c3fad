import type { JsonPath } from './jsonc.ts'

const PLAIN = /^[\w$-]+$/

/** A path as people write it: `provider.llama-swap.models["gpt-4.1"].limit`. */
export function showJsonPath(path: JsonPath): string {
  return path
    .map((name, i) =>
      PLAIN.test(name) ? `${i === 0 ? '' : '.'}${name}` : `[${JSON.stringify(name)}]`,
    )
    .join('')
}
