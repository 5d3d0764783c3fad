import { writeSync } from 'node:fs'
import type { GateConfig } from '../../src/config/schema.ts'
import type { Logger } from '../../src/deps.ts'
import { isWritten, levelOf, toJsonLine, toPrettyLine } from '../../src/log/format-event.ts'

/** Writes one line per event to standard output. Lines of one turn of the event loop are written together. */
export function createStdoutLogger({
  level,
  format,
}: GateConfig['log']): Logger & { flush(): void } {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  let lines: string[] = []
  const write = (line: string): void => {
    if (lines.length === 0) setImmediate(() => process.stdout.write(taken()))
    lines.push(line)
  }
  const taken = (): string => {
    const text = lines.map((line) => `${line}\n`).join('')
    lines = []
    return text
  }
  return {
    request(event) {
      if (!isWritten(levelOf(event), level)) return
      write(isPretty ? toPrettyLine(event) : toJsonLine(event))
    },
    failure(requestId, error) {
      if (!isWritten('error', level)) return
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
      write(
        isPretty
          ? `bug in request ${requestId}: ${stack}`
          : JSON.stringify({ time: new Date().toISOString(), level: 'error', requestId, stack }),
      )
    },
    flush() {
      if (lines.length === 0) return
      try {
        writeSync(1, taken())
      } catch {
        // Nobody reads it any more (EPIPE), or not fast enough (EAGAIN); the end must not fail for that.
      }
    },
  }
}
