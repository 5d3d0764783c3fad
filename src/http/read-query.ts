import type { GateError } from '../errors/gate-error.ts'
import { shortText } from '../errors/short-text.ts'
import type { GateContext } from './gate-env.ts'

/** The fields of a query, each at most once, and those that may be there several times; or what is wrong with it. */
export type ReadQuery<Name extends string, List extends string> =
  | { ok: true; fields: ReadonlyMap<Name, string>; lists: ReadonlyMap<List, readonly string[]> }
  | { ok: false; error: GateError }

/**
 * Reads the query of a request.
 *
 * @param known the fields that the route has; any other is refused, so that a slip of the pen is not taken for consent
 * @param repeatable fields that may be there several times
 */
export function readQuery<Name extends string, List extends string = never>(
  c: GateContext,
  known: readonly Name[],
  repeatable: readonly List[] = [],
): ReadQuery<Name, List> {
  const fields = new Map<Name, string>()
  const lists = new Map<List, string[]>()
  for (const [written, value] of new URLSearchParams(c.env.target.search)) {
    const list = repeatable.find((each) => each === written)
    const name = known.find((each) => each === written)
    if (list !== undefined) lists.set(list, [...(lists.get(list) ?? []), value])
    else if (name === undefined)
      return badQuery(
        written,
        `There is no query field ${JSON.stringify(shortText(written))}. Known fields: ${[...known, ...repeatable].join(', ')}.`,
      )
    else if (fields.has(name))
      return badQuery(name, `The query field ${JSON.stringify(name)} is there twice; leave one.`)
    else fields.set(name, value)
  }
  return { ok: true, fields, lists }
}

/** The refusal of a query field, with what to write instead. */
export function badQuery(param: string, detail: string): { ok: false; error: GateError } {
  return { ok: false, error: { kind: 'bad-request', detail, param } }
}
