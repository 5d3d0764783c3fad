import { LatestMap } from '../collections/latest-map.ts'

/** How many prompts in a row may be too long: the client compacts, and tries again. */
const MOST_IN_A_ROW = 3
const REMEMBERED_MS = 30 * 60_000
const MOST_SESSIONS = 1000
/** A client that gets on leaves out more than this; what compacts in vain is now shorter, now longer. */
const CLEARLY_SHORTER = 0.95

/** How long a prompt was, in the units that are known of it. */
type Length = { tokens: number | undefined; bytes: number | undefined }

/** A prompt that was too long, of a request that came in at `acceptedAt`; times in epoch milliseconds. */
export type TooLong = Length & { acceptedAt: number; now: number }

/** How often in a row a session's prompts were too long, when it was told so last, and how long the first of them was. */
type Row = { count: number; at: number; first: Length }

/**
 * Tells sessions that overflow again and again, although their client compacts them each time: without an end to it,
 * OpenCode compacts the same prompt for hours. Counts the latest thousand sessions, and forgets each after half an hour.
 */
export class OverflowGuard {
  readonly #rows = new LatestMap<Row>(MOST_SESSIONS)

  /** The client of the session is told that a prompt was too long. Returns whether there were enough of them before it. */
  overflowed(session: string, prompt: TooLong): boolean {
    const row = this.#next(session, prompt)
    this.#rows.set(session, row)
    return row.count > MOST_IN_A_ROW
  }

  /** A prompt of the session did fit. */
  fitted(session: string): void {
    this.#rows.delete(session)
  }

  #next(session: string, { acceptedAt, now, tokens, bytes }: TooLong): Row {
    const row = this.#rows.get(session)
    const length = { tokens, bytes }
    // The clock may jump: what seems to lie far ahead is forgotten, too.
    if (!row || Math.abs(now - row.at) >= REMEMBERED_MS) return { count: 1, at: now, first: length }
    // Sent before its client could know: what runs at the same time overflows together.
    if (acceptedAt < row.at) return row
    // Compared with the first, not the last: a length that swings would begin anew each time.
    if (ratioOf(length, row.first) < CLEARLY_SHORTER) return { count: 1, at: now, first: length }
    return { ...row, count: row.count + 1, at: now }
  }
}

/** 1 where no unit is known of both. */
function ratioOf(length: Length, other: Length): number {
  if (length.tokens !== undefined && other.tokens !== undefined) return length.tokens / other.tokens
  if (length.bytes !== undefined && other.bytes !== undefined) return length.bytes / other.bytes
  return 1
}
