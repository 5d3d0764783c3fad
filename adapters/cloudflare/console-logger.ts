import type { GateConfig } from '../../src/config/schema.ts'
import type { Logger } from '../../src/deps.ts'
import { isWritten, levelOf, toJsonLine } from '../../src/log/format-event.ts'

/** One JSON line per event, for Workers Logs. */
export function consoleLogger({ level }: GateConfig['log']): Logger {
  return {
    request(event) {
      if (isWritten(levelOf(event), level)) console.log(toJsonLine(event))
    },
    failure(requestId, error) {
      const stack = error instanceof Error ? error.stack : String(error)
      if (isWritten('error', level))
        console.error(JSON.stringify({ level: 'error', requestId, stack }))
    },
  }
}
