import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { configJsonSchema } from '../../../src/config/json-schema.ts'

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'))
}

test('config.schema.json is what `npm run schema` writes', () => {
  expect(readJson('config.schema.json')).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
})

describe('an editor that follows the schema', () => {
  const schema = z.fromJSONSchema(configJsonSchema())

  test('accepts the example and an empty file', () => {
    expect(
      [readJson('config.json.example'), {}].map((file) => schema.safeParse(file).success),
    ).toEqual([true, true])
  })

  test.each([
    ['a number', { listen: { port: '{env:GATE_PORT}' } }],
    ['a switch', { keys: [{ id: 'a', secret: 'sk-0123456789', disabled: '{env:OFF}' }] }],
    ['a choice', { log: { level: '{env:LEVEL}' } }],
    ['a limit', { limits: { tokensPerDay: '{env:TOKENS}' } }],
    ['a limit of a key', { keys: [{ id: 'a', secret: 'sk-1', limits: { burst: '{env:B}' } }] }],
    ['a key', { keys: ['{file:~/.config/swapgate/key}'] }],
  ])('accepts a substitution in the place of %s', (_what, file) => {
    expect(schema.safeParse(file).success).toBe(true)
  })

  test.each([
    ['an unknown field', { listne: {} }],
    ['an unknown limit', { limits: { tokensPerHour: 1 } }],
    ['a queue that is only turned on', { queue: true }],
    ['slots of nothing', { queue: { slots: { a: 0 } } }],
    ['text for a number', { listen: { port: 'three thousand' } }],
    ['a choice that is none', { log: { level: 'loud' } }],
    ['a port beyond the last', { listen: { port: 65_536 } }],
    ['a key without a secret', { keys: [{ id: 'a' }] }],
    ['an unknown scope', { keys: [{ id: 'a', secret: 'sk-0123456789', scopes: ['root'] }] }],
  ])('marks %s', (_what, file) => {
    expect(schema.safeParse(file).success).toBe(false)
  })
})
