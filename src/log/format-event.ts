import type { RequestEvent } from './request-event.ts'

/** How important an event is. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

const ORDER = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** Whether events of a level are written when the least level is `least`. */
export function isWritten(level: Level, least: (typeof ORDER)[number]): boolean {
  return ORDER.indexOf(level) >= ORDER.indexOf(least)
}

const PROBES = new Set(['/health', '/', '/api/hello'])

/** The level of a request: probes are noise, refusals deserve a look, failures need one. */
export function levelOf(event: RequestEvent): Level {
  if (event.outcome === 'upstream-failed') return 'error'
  if (event.outcome === 'refused') return 'warn'
  return PROBES.has(event.path) ? 'debug' : 'info'
}

/** One JSON object on one line. */
export function toJsonLine(event: RequestEvent): string {
  const { at, ...rest } = event
  return jsonOf({ time: new Date(at).toISOString(), level: levelOf(event), ...rest })
}

/** One line for people. Values from clients are quoted where they could break the line. */
export function toPrettyLine(event: RequestEvent): string {
  const time = new Date(event.at).toISOString().slice(11, 23)
  const fields = [
    `key=${event.keyId ?? '-'}`,
    event.model === undefined ? '' : `model=${quoted(event.model)}`,
    event.reason === undefined ? '' : `reason=${event.reason}`,
    // A few milliseconds are the way through the gate.
    (event.queueMs ?? 0) < 100 ? '' : `queued=${event.queueMs}ms`,
    event.promptTokens === undefined
      ? ''
      : `tokens=${event.promptTokens}+${event.completionTokens ?? 0} cached=${event.cachedTokens ?? 0}`,
    event.ttftMs === undefined ? '' : `ttft=${event.ttftMs}ms`,
    `took=${event.durationMs}ms`,
    `in=${event.bytesIn}`,
    `out=${event.bytesOut}`,
    `id=${event.requestId}`,
  ].filter((field) => field !== '')
  const { method, path, status, outcome } = event
  return `${time} ${status} ${quoted(method)} ${quoted(path)} ${outcome} ${fields.join(' ')}`
}

function quoted(text: string): string {
  return /^[\x21\x23-\x5b\x5d-\x7e]*$/.test(text) ? text : jsonOf(text)
}

// JSON escapes only the controls below U+0020. U+009B is a terminal's CSI, U+2028 a line break for some readers, U+202E
// turns the rest of the line around.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** JSON on one line that steers no terminal. */
function jsonOf(value: unknown): string {
  const json = JSON.stringify(value)
  return /^[\x20-\x7e]*$/.test(json) ? json : json.replace(UNSAFE, escaped)
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
