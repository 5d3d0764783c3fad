import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../../src/errors/refusal.ts'
import { CLAUDE_CODE_OVERFLOW, OPENCODE_OVERFLOWS } from './opencode-overflow.ts'
import { retryTriggersIn } from './opencode-retry.ts'

const LLAMA_SERVER =
  'request (4923 tokens) exceeds the available context size (256 tokens), try increasing it'
const GATE = 'prompt is too long: 4923 tokens > 256 maximum'

function overflowsIn(text: string): string[] {
  return [...OPENCODE_OVERFLOWS, CLAUDE_CODE_OVERFLOW].flatMap(
    (pattern) => pattern.exec(text)?.[0] ?? [],
  )
}

test.each([LLAMA_SERVER, GATE])('%j makes clients compact', (text) => {
  expect(overflowsIn(text)).not.toEqual([])
})

describe.each(['openai', 'anthropic'] as const)('the end of an overflow loop in %s', (dialect) => {
  const { status, headers, body } = refusalOf({ kind: 'overflow-loop' }, dialect)
  const text = new TextDecoder().decode(body)

  test('is final, and neither compacted nor tried again', () => {
    expect({
      status,
      retry: new Map(headers).get('x-should-retry'),
      overflows: overflowsIn(text),
      retries: retryTriggersIn(text),
      digits: /\d/.test(text),
    }).toEqual({ status: 400, retry: 'false', overflows: [], retries: [], digits: false })
  })
})
