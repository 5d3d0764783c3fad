import {
  connectionProblem,
  malformedKey,
  readGateAnswer,
  type GateModels,
} from '../../src/connect/gate-answer.ts'
import { withoutKeys } from '../../src/opencode/check/keys/secrets.ts'
import { tell } from './outcome.ts'

/** A listing loads no model, so a gate that takes longer has something else. */
const WITHIN_MS = 15_000
/** From here on a person begins to wonder. */
const SLOW_MS = 2000

const PRINTABLE = /^[\x21-\x7e]+$/

/** Where a gate is, and whose models are asked for. */
export type GateQuestion = { url: string; keyVariable: string }

/** The models that a running gate lets the key in a variable use. */
export async function askGate(
  { url, keyVariable }: GateQuestion,
  env: NodeJS.ProcessEnv,
): Promise<GateModels> {
  const key = env[keyVariable]?.trim()
  // A runtime repeats what it cannot send, with the key in it.
  if (key && !PRINTABLE.test(key)) return { ok: false, problem: malformedKey(keyVariable) }
  const waiting = setTimeout(tell, SLOW_MS, `waiting for ${url} …`)
  try {
    const response = await fetch(`${url}/v1/models`, {
      headers: key ? { authorization: `Bearer ${key}` } : {},
      signal: AbortSignal.timeout(WITHIN_MS),
      redirect: 'manual',
    })
    const location = response.headers.get('location') ?? undefined
    const answer = { status: response.status, body: await response.text(), location }
    return readGateAnswer(answer, { url, keyVariable, key })
  } catch (error) {
    return { ok: false, problem: connectionProblem(url, withoutKeys(reasonOf(error), key)) }
  } finally {
    clearTimeout(waiting)
  }
}

/** Node hides the reason in the cause; an error with several addresses hides it in the first of its errors. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given'
  if (error.name === 'TimeoutError') return `no answer within ${WITHIN_MS / 1000} s`
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  return error.cause === undefined ? (error.message.split('\n')[0] ?? '') : reasonOf(error.cause)
}
