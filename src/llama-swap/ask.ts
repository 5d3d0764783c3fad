import { joinBytes } from '../body/join-bytes.ts'
import type { GateError } from '../errors/gate-error.ts'
import { tunnelFault } from '../errors/tunnel-fault.ts'
import type { Clock, HeaderPairs, Upstream, UpstreamCall, UpstreamFailure } from '../deps.ts'

/** A short answer of llama-swap, whole. */
export type Answer = { status: number; headers: HeaderPairs; text: string }

/** Listing and status answer at once, even while a model loads; longer than this is a fault. */
const PATIENCE_MS = 10_000

/** What a question of the gate's own is asked with. */
export type Asking = { upstream: Upstream; clock: Clock; headers: HeaderPairs }

/**
 * What is asked with for a request that came through the gates of `via`: its way goes on, or two gates that lead to one
 * another would ask each other without end. undefined where there was no gate, or no request.
 */
export type AskingFor = (via: string | undefined) => Asking

/** What came of a question. */
export type Asked = Answer | UpstreamFailure | 'timeout'

/**
 * Asks llama-swap for something small on the gate's own behalf, once more when the connection turns out to be dead
 * (see `maySendAgain`): asking twice is harmless.
 */
export async function ask(asking: Asking, target: string): Promise<Asked> {
  const first = await askOnce(asking, target)
  if (first !== 'unanswered') return first
  const second = await askOnce(asking, target)
  // As for the relay: what closes two connections at once has nobody behind it.
  return second === 'unanswered' ? 'unreachable' : second
}

function askOnce(
  { upstream, clock, headers }: Asking,
  target: string,
): Promise<Asked | 'unanswered'> {
  return new Promise((resolve) => {
    const pieces: Uint8Array[] = []
    let status = 0
    let answerHeaders: HeaderPairs = []
    let call: UpstreamCall | undefined
    // Before the call: an upstream that fails at once tells so while it is being called.
    const cancel = clock.setTimer(PATIENCE_MS, () => {
      call?.abort()
      resolve('timeout')
    })
    call = upstream.send(
      { method: 'GET', target, headers, body: undefined },
      {
        head(code, fields) {
          status = code
          answerHeaders = fields
        },
        chunk: (bytes) => void pieces.push(bytes),
        end() {
          cancel()
          const text = new TextDecoder().decode(joinBytes(pieces))
          resolve({ status, headers: answerHeaders, text })
        },
        failure(failure) {
          cancel()
          resolve(failure === 'reset' && status === 0 ? 'unanswered' : failure)
        },
      },
    )
  })
}

/** Why what came back is not the answer that llama-swap gives. */
export function errorOfAsked(asked: Asked): GateError {
  if (asked === 'timeout') return { kind: 'upstream-timeout' }
  if (asked === 'unreachable') return { kind: 'upstream-unreachable' }
  if (asked === 'reset') return { kind: 'upstream-broken' }
  const field = (name: string): string | undefined =>
    asked.headers.find(([known]) => known === name)?.[1]
  const fault = tunnelFault({ status: asked.status, field, body: asked.text })
  if (fault) return fault
  if (asked.status === 508) return { kind: 'loop' }
  if (asked.status >= 500) return { kind: 'upstream-broken' }
  const isKeyRefused = asked.status === 401 || asked.status === 403
  return { kind: isKeyRefused ? 'upstream-key-refused' : 'upstream-not-llama-swap' }
}
