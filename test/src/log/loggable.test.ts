import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toJsonLine, toPrettyLine } from '../../../src/log/format-event.ts'
import { loggableModel, loggablePath } from '../../../src/log/loggable.ts'
import { ROUTES } from '../../../src/routes/route-table.ts'

const SECRET = 'sk-Zk3vT1bq8wUe0pXyRr5nHs7dLm2cAf4gJi9oQt6uEv0'

describe('a path', () => {
  test.each([...new Set(ROUTES.map(({ path }) => path))])('%s is logged as it is', (path) => {
    expect(loggablePath(path)).toBe(path)
  })

  test.each([
    [`/v1/${SECRET}/models`, '/v1/…/models'],
    [`/${SECRET}`, '/…'],
    ['/v1/sk-abcd', '/v1/…'],
    [`/v1/${'a1'.repeat(16)}`, '/v1/…'],
    ['/eyJhbGciOiJIUzI1NiIsInR5cCI6.eyJzdWIiOiIxMjM0NTY3ODkwIiw', '/….…'],
    ['/v1/models-with-a-name', '/v1/models-with-a-name'],
  ])('%s is logged as %s', (path, logged) => {
    expect(loggablePath(path)).toBe(logged)
  })

  test('is cut after 120 characters', () => {
    expect(loggablePath('/a'.repeat(100))).toBe('/a'.repeat(60))
  })
})

describe('a model', () => {
  test.each([
    ['gpt-oss-120b', 'gpt-oss-120b'],
    ['unsloth/Qwen3-Coder-Next-GGUF:Q4_K_M', 'unsloth/Qwen3-Coder-Next-GGUF:Q4_K_M'],
    ['sk-learn', 'sk-learn'],
    [SECRET, '…'],
    [`my ${SECRET} model`, 'my … model'],
  ])('%s is logged as %s', (model, logged) => {
    expect(loggableModel(model)).toBe(logged)
  })

  test('that is not known stays unknown', () => {
    expect(loggableModel(undefined)).toBeUndefined()
  })

  test('is cut after 120 characters', () => {
    expect(loggableModel('m'.repeat(200))).toBe('m'.repeat(120))
  })
})

test('no line holds any part of a generated key that a client put into the path or the model', () => {
  const secret = fc.stringMatching(/^sk-[A-Za-z0-9_-]{43}$/)
  const around = fc.stringMatching(/^[a-z0-9/. -]{0,20}$/)
  fc.assert(
    fc.property(secret, around, around, (key, before, after) => {
      const event = {
        at: 0,
        requestId: '1',
        edgeRequestId: undefined,
        method: 'POST',
        path: loggablePath(`/${before}${key}${after}`),
        keyId: 'laptop',
        model: loggableModel(before + key + after),
        status: 404,
        outcome: 'refused' as const,
        reason: 'model-unknown',
        queueMs: undefined,
        promptTokens: undefined,
        cachedTokens: undefined,
        completionTokens: undefined,
        ttftMs: undefined,
        durationMs: 1,
        bytesIn: 0,
        bytesOut: 0,
        clientAddress: undefined,
      }
      const lines = toJsonLine(event) + toPrettyLine(event)
      const parts = Array.from({ length: 4 }, (_, i) => key.slice(3 + i * 10, 13 + i * 10))
      expect(parts.filter((part) => lines.includes(part))).toEqual([])
    }),
  )
})
