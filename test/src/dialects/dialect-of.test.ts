import { expect, test } from 'vitest'
import { anthropic } from '../../../src/dialects/anthropic.ts'
import { dialectOf, voiceOf } from '../../../src/dialects/dialect-of.ts'
import { openai } from '../../../src/dialects/openai.ts'

test.each(['/v1/messages', '/v1/messages/count_tokens', '/v/messages', '/v/messages/count_tokens'])(
  "%s speaks Anthropic's dialect",
  (path) => {
    expect(dialectOf(path)).toBe('anthropic')
  },
)

test.each([
  '/',
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/models',
  '/messages',
  '/v2/messages',
  '/v1/messagesx',
  '/v1/message',
  '/V1/messages',
  '/upstream/m/v1/messages',
  '(not canonical)',
])("%s speaks OpenAI's dialect", (path) => {
  expect(dialectOf(path)).toBe('openai')
})

test('each dialect has its voice', () => {
  expect([voiceOf('anthropic'), voiceOf('openai')]).toEqual([anthropic, openai])
})
