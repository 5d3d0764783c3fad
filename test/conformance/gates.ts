import type { Harness, Running } from '../harness.ts'
import type { LookAlike } from '../support/look-alike.ts'
import type { RecordedRequest } from '../support/look-alike/recorded-request.ts'
import { sendRaw } from '../support/raw-http.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'

/** One harness per runtime: a new folder below adapters/ joins every test of the suite. */
export const harnesses: Harness[] = Object.values(
  import.meta.glob<Harness>('../../adapters/*/harness.ts', { eager: true, import: 'harness' }),
)

/** Keys of the suite, long enough not to be warned of. */
export const KEYS = {
  user: 'sk-user-0123456789abcdef0123456789',
  limited: 'sk-limited-0123456789abcdef01234567',
  status: 'sk-status-0123456789abcdef012345678',
  admin: 'sk-admin-0123456789abcdef0123456789',
} as const

/** A key of each kind: every model, one model only, status, administration. */
export const KEY_CONFIG = [
  { id: 'user', secret: KEYS.user },
  { id: 'limited', secret: KEYS.limited, models: ['glm-4.7-flash'] },
  { id: 'status', secret: KEYS.status, scopes: ['status' as const] },
  { id: 'admin', secret: KEYS.admin, scopes: ['admin' as const] },
]

/** A gate for tests of something else: its limits and its queue are in nobody's way, and it keeps nothing. */
export const ROOMY = {
  keys: KEY_CONFIG,
  limits: { requestsPerMinute: null },
  // Models change places at once, whoever asks.
  queue: { slotsPerModel: 500, maxModelWaitMs: 0, minResidencyMs: 0, idleMs: 0 },
  usage: { file: null },
}

const QUESTIONS = ['/v1/models', '/running']

/** What clients had llama-swap do, without the gate's own questions, which may come at any time. */
export function callsTo(upstream: LookAlike): RecordedRequest[] {
  return upstream.requests.filter((request) => !isQuestion(request))
}

/** Whether the gate itself asks for names or for what is loaded. */
function isQuestion({ method, url, headers }: RecordedRequest): boolean {
  return method === 'GET' && QUESTIONS.includes(url) && headers['x-request-id'] === 'gate'
}

/**
 * Lets gates learn the names of models, and that llama.cpp runs the first of them, for tests in which nothing may come
 * before the first call. Upstream forgets the calls.
 */
export async function acquaint(upstream: LookAlike, ...gates: Running[]): Promise<void> {
  const headers = { Authorization: `Bearer ${KEYS.user}` }
  const call = rawJsonPost('/v1/chat/completions', { model: 'gpt-oss-120b', messages: [] }, headers)
  await Promise.all(gates.map(({ url }) => sendRaw(url, call)))
  upstream.reset()
}
