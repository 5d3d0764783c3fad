import type { JsonPath } from '../jsonc.ts'

/** Whether a path leads to a thing or into it. */
export function isWithin(path: JsonPath, outer: JsonPath): boolean {
  return outer.every((name, i) => path[i] === name)
}
