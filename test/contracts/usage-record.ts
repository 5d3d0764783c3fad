import type { UsageRecord } from '../../src/usage/record.ts'

/** When the sample was accepted. */
export const AT = Date.UTC(2026, 0, 1, 12)

/** A finished request with tokens; `fields` are laid over it. */
export function usageRecord(fields: Partial<UsageRecord> = {}): UsageRecord {
  return {
    requestId: 'r',
    at: AT,
    day: '2026-01-01',
    keyId: 'laptop',
    model: 'glm',
    dialect: 'openai',
    route: 'POST /v1/chat/completions',
    outcome: 'completed',
    status: 200,
    tokens: { prompt: 100, cached: 40, completion: 7, exact: true },
    queueMs: 5,
    ttftMs: 20,
    durationMs: 1_000,
    bytesIn: 300,
    bytesOut: 900,
    ...fields,
  }
}
