import { withoutWarning } from './without-warning.ts'

/** The module as its types know it; Node 20 has none, so it is never imported statically. */
type Sqlite = typeof import('node:sqlite')

/** Node 22 says so whenever the module is loaded; it tells nothing to who runs a gate. */
const EXPERIMENTAL = 'SQLite is an experimental feature and might change at any time'

/** Loads the SQLite that Node (from 22.13 on), Bun and Deno bring along; undefined where there is none. */
export async function loadSqlite(): Promise<Sqlite | undefined> {
  return withoutWarning(EXPERIMENTAL, () => import('node:sqlite').catch(() => undefined))
}
