import { harness } from '../../adapters/node/harness.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import type { LookAlike } from '../support/look-alike.ts'
import { startLookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import type { RecordedRequest } from '../support/look-alike/recorded-request.ts'
import { SDKS } from './sdks.ts'

/** Keys of the suite: every model, one model only, no inference at all, and one past its time. */
export const KEYS = {
  user: 'sk-user-0123456789abcdef0123456789',
  limited: 'sk-limited-0123456789abcdef01234567',
  status: 'sk-status-0123456789abcdef012345678',
  expired: 'sk-expired-0123456789abcdef01234567',
  unknown: 'sk-unknown-0123456789abcdef01234567',
} as const

const KEY_CONFIG: ConfigFile['keys'] = [
  { id: 'user', secret: KEYS.user },
  { id: 'limited', secret: KEYS.limited, models: ['glm-4.7-flash'] },
  { id: 'status', secret: KEYS.status, scopes: ['status'] },
  { id: 'expired', secret: KEYS.expired, expires: '2020-01-01T00:00:00Z' },
]

/** A gate and the upstream behind it. */
export type Box = {
  url: string
  upstream: LookAlike
  gate: Running
  /** What clients had upstream do, without the gate's own questions, which may come at any time. */
  calls(): RecordedRequest[]
  stop(): Promise<void>
}

/** Starts a gate on Node in front of a look-alike of llama-swap. */
export async function startBox(config: ConfigFile = {}): Promise<Box> {
  const upstream = await startLookAlike()
  const gate = await harness.start({
    upstream: { url: upstream.url },
    keys: KEY_CONFIG,
    ...config,
  })
  return {
    url: gate.url,
    upstream,
    gate,
    calls: () => upstream.requests.filter(({ headers }) => headers['x-request-id'] !== 'gate'),
    async stop() {
      await gate.stop()
      await upstream.stop()
    },
  }
}

/** Upstream does the same to the next questions of every SDK. */
export function behaveToAll(upstream: LookAlike, behaviour: Behaviour, times = 1): void {
  upstream.behave(...Array.from({ length: SDKS.length * times }, () => behaviour))
}
