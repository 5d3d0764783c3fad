import type { Upstream } from '../deps.ts'

/** What the owner of the gate is told of upstream. */
export type OutageNews = { isDown: true; cause: string } | { isDown: false }

/** Tells when upstream can no longer be reached, and when it answers again: once each, however many requests meet it. */
export function tellOutages(upstream: Upstream, tell: (news: OutageNews) => void): Upstream {
  let isDown = false
  return {
    send: (request, events) =>
      upstream.send(request, {
        head(status, headers) {
          if (isDown) tell({ isDown: false })
          isDown = false
          events.head(status, headers)
        },
        chunk: (bytes) => events.chunk(bytes),
        end: () => events.end(),
        failure(failure, cause = '') {
          if (failure === 'unreachable' && !isDown) {
            isDown = true
            tell({ isDown, cause })
          }
          events.failure(failure, cause)
        },
      }),
  }
}
