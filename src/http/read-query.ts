import type { GateError } from '../errors/gate-error.ts'
import type { GateContext } from './gate-env.ts'

/** The fields of a query, each at most once; or what is wrong with it. */
export type ReadQuery<Name extends string> =
  | { ok: true; fields: ReadonlyMap<Name, string> }
  | { ok: false; error: GateError }

/**
 * Reads the query of a request.
 *
 * @param known the fields that the route has; any other is refused, so that a slip of the pen is not taken for consent
 */
export function readQuery<Name extends string>(
  c: GateContext,
  known: readonly Name[],
): ReadQuery<Name> {
  const fields = new Map<Name, string>()
  for (const [written, value] of new URLSearchParams(c.env.target.search)) {
    const name = known.find((each) => each === written)
    if (name === undefined)
      return badQuery(
        written,
        `There is no query field ${JSON.stringify(written)}. Known fields: ${known.join(', ')}.`,
      )
    if (fields.has(name))
      return badQuery(name, `The query field ${JSON.stringify(name)} is there twice; leave one.`)
    fields.set(name, value)
  }
  return { ok: true, fields }
}

/** The refusal of a query field, with what to write instead. */
export function badQuery(param: string, detail: string): { ok: false; error: GateError } {
  return { ok: false, error: { kind: 'bad-request', detail, param } }
}
