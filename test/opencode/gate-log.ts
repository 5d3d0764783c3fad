import * as z from 'zod'

const lineSchema = z.looseObject({
  method: z.string(),
  path: z.string(),
  status: z.number(),
  outcome: z.string(),
  keyId: z.string().optional(),
  reason: z.string().optional(),
  queueMs: z.number().optional(),
  ttftMs: z.number().optional(),
  durationMs: z.number(),
  bytesOut: z.number(),
})

export type Line = z.infer<typeof lineSchema>

/** The chats in a gate's log, in the order in which they ended. */
export function chatLines(log: string): Line[] {
  const lines = log.split('\n')
  const told = lines.filter((line) => line.includes('"path":"/v1/chat/completions"'))
  return told.map((line) => lineSchema.parse(JSON.parse(line)))
}

/** How a chat ended: `laptop 200 completed`. */
export function endOf({ keyId = '-', status, outcome, reason }: Line): string {
  return [keyId, status, outcome, reason].filter((word) => word !== undefined).join(' ')
}

/** One line of the log for the one who reads the tests' output. */
export function inShort(line: Line): string {
  const { queueMs = 0, ttftMs = '-', durationMs, bytesOut } = line
  return `  ${endOf(line)} queued=${queueMs}ms first=${ttftMs}ms took=${durationMs}ms out=${bytesOut}`
}
