import type { UpstreamEvents } from '../deps.ts'

/**
 * Events of which none throws into the code that reads the connection, where a bug would pass for a broken connection.
 * The exchange ends as if the connection had been reset, and the bug is told.
 */
export function guardedEvents(
  events: UpstreamEvents,
  on: { bug(error: unknown): void; abort(): void },
): UpstreamEvents {
  const guard = (tell: () => void): void => {
    try {
      tell()
    } catch (error) {
      on.bug(error)
      on.abort()
      guardLast(() => events.failure('reset'))
    }
  }
  const guardLast = (tell: () => void): void => {
    try {
      tell()
    } catch (error) {
      on.bug(error)
    }
  }
  return {
    head: (status, headers) => guard(() => events.head(status, headers)),
    chunk: (bytes) => guard(() => events.chunk(bytes)),
    end: () => guard(() => events.end()),
    failure: (failure, cause) => guardLast(() => events.failure(failure, cause)),
  }
}
