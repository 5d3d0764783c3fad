/** How many prompts in a row may be too long: the client compacts, and tries again. */
const MOST_IN_A_ROW = 3
const REMEMBERED_MS = 30 * 60_000
const MOST_SESSIONS = 1000

/** How often in a row a session's prompts were too long; `at` in epoch milliseconds, of the last one. */
type Row = { length: number; at: number }

/**
 * Tells sessions that overflow again and again, although their client compacts them each time: without an end to it,
 * OpenCode compacts the same prompt for hours. Counts the latest thousand sessions, and forgets each after half an hour.
 */
export class OverflowGuard {
  readonly #rows = new Map<string, Row>()

  /** A prompt of the session was too long. Returns whether there were enough of them before it. */
  overflowed(session: string, now: number): boolean {
    const before = this.#rowOf(session, now)
    this.#rows.delete(session)
    this.#rows.set(session, { length: before + 1, at: now })
    const [oldest] = this.#rows.keys()
    if (oldest !== undefined && this.#rows.size > MOST_SESSIONS) this.#rows.delete(oldest)
    return before >= MOST_IN_A_ROW
  }

  /** A prompt of the session did fit. */
  fitted(session: string): void {
    this.#rows.delete(session)
  }

  #rowOf(session: string, now: number): number {
    const row = this.#rows.get(session)
    // The clock may jump: what seems to lie far ahead is forgotten, too.
    return row && Math.abs(now - row.at) < REMEMBERED_MS ? row.length : 0
  }
}
