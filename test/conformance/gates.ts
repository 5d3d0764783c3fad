import type { Harness } from '../harness.ts'

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
  queue: { slotsPerModel: 500 },
  usage: { file: null },
}
