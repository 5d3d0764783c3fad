import { withoutSlash } from '../config/without-slash.ts'

/** Where a gate begins, or why an address is none of a gate. */
export type GateUrl = { ok: true; url: string } | { ok: false; message: string }

/** What people copy along with the address of a gate. */
const TAIL = /\/(?:v1(?:\/models|\/chat\/completions)?|opencode\.json|connect\.json)$/

/** The address of a gate, without what is asked for there, from an address of somewhere at it. */
export function gateUrl(text: string): GateUrl {
  const url = withoutSlash(text.replace(/[?#].*$/, ''))
  if (/\/ui(?:\/|$)/.test(url))
    return {
      ok: false,
      message: `${url} is a page for people; the gate begins before /ui: ${url.replace(/\/ui(?:\/.*)?$/, '')}`,
    }
  return { ok: true, url: withoutSlash(url.replace(TAIL, '')) }
}
