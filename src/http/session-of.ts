import type { GateContext } from './gate-env.ts'

/** The session that a request belongs to, by OpenCode's header or by Claude Code's; undefined where there is none. */
export function sessionOf(c: GateContext): string | undefined {
  return c.req.header('x-session-id') ?? c.req.header('x-claude-code-session-id')
}

/** Clients name their sessions as they like; a thousand of them are remembered. */
const LONGEST_SESSION = 200

/** An empty list and null: what clients send that have no tools to offer. */
const NO_TOOLS = /^(?:\[\s*\]|null)$/
/** No list that is empty is longer than this. */
const SHORT = 16

/**
 * The session of a request that is told when its prompts are too long again and again: one of a key, and apart for
 * requests with tools. What OpenCode sends on the side, to compact a session or to name it, has none and says nothing
 * of those that have. Undefined where there is no session, and for what only counts tokens.
 */
export function guardedSessionOf(c: GateContext): string | undefined {
  const session = sessionOf(c)
  const { cost } = c.get('route')
  if (session === undefined || cost !== 'tokens') return undefined
  const { keyId = c.get('principal').keyId } = c.get('scope')
  return JSON.stringify([keyId, session.slice(0, LONGEST_SESSION), hasTools(c)])
}

function hasTools(c: GateContext): boolean {
  const { body, members } = c.get('content')
  const span = members?.get('tools')
  if (!body || !span) return false
  const { start, end } = span
  return end - start > SHORT || !NO_TOOLS.test(new TextDecoder().decode(body.subarray(start, end)))
}
