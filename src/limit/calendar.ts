/** A day in some time zone: its name as YYYY-MM-DD, and the epoch millisecond at which the next one begins. */
export type Day = { day: string; endsAt: number }

type Known = { format: Intl.DateTimeFormat; from: number; current: Day }

const HOUR_MS = 3_600_000

/** More zones than any configuration names. */
const MAX_ZONES = 64

/** The current day of each zone: only a memory of answers, since asking Intl costs more than a whole request may. */
const known = new Map<string, Known>()

/**
 * The day of an epoch millisecond in an IANA time zone, whatever its clocks do: days of 23 or 25 hours, days that begin
 * at 01:00, days that do not exist. Throws a RangeError for a zone that does not exist.
 */
export function dayOf(nowMs: number, timeZone: string): Day {
  const last = known.get(timeZone)
  if (last && nowMs >= last.from && nowMs < last.current.endsAt) return last.current

  const format = last?.format ?? formatOf(timeZone)
  const day = nameOf(nowMs, format)
  const current = { day, endsAt: endOf(day, nowMs, format) }
  if (!last && known.size >= MAX_ZONES) known.clear()
  known.set(timeZone, { format, from: nowMs, current })
  return current
}

/** No zone is further from UTC than this. */
const MAX_OFFSET_MS = 15 * HOUR_MS

/** The epoch millisecond at which a day (YYYY-MM-DD) begins in a zone; that of the next one where it does not exist there. */
export function startOfDay(day: string, timeZone: string): number {
  let at = Date.parse(`${day}T00:00:00Z`) - MAX_OFFSET_MS
  for (let around = dayOf(at, timeZone); around.day < day; around = dayOf(at, timeZone))
    at = around.endsAt
  return at
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
}

function nameOf(ms: number, format: Intl.DateTimeFormat): string {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`
}

/** The first moment after `nowMs` with another name: hour by hour at first, then by halves. */
function endOf(day: string, nowMs: number, format: Intl.DateTimeFormat): number {
  let inside = nowMs
  while (nameOf(inside + HOUR_MS, format) === day) inside += HOUR_MS
  let outside = inside + HOUR_MS
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2)
    if (nameOf(middle, format) === day) inside = middle
    else outside = middle
  }
  return Math.ceil(outside)
}
