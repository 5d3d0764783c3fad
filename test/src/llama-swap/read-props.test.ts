import { expect, test } from 'vitest'
import { readProps } from '../../../src/llama-swap/read-props.ts'
import { LOCAL_MODELS, props } from '../../support/look-alike/catalogue.ts'

const answerOf = (value: unknown) => readProps(JSON.stringify(value), 'llama-server')

test('llama-server says how much one request may hold, and what it can do', () => {
  expect(answerOf(props(LOCAL_MODELS[0]!))).toEqual({
    context: 32_768,
    slots: 4,
    input: ['text'],
    tools: true,
  })
})

test('pictures, sound and moving pictures are told one by one', () => {
  const modalities = { vision: true, audio: true, video: true }
  const default_generation_settings = { n_ctx: 4096 }
  expect(answerOf({ default_generation_settings, modalities })?.input).toEqual([
    'text',
    'image',
    'audio',
    'video',
  ])
})

test('what is not told is not known', () => {
  expect(answerOf({ default_generation_settings: { n_ctx: 4096 } })).toEqual({
    context: 4096,
    slots: undefined,
    input: undefined,
    tools: undefined,
  })
})

test.each([0, -1, 1.5, '4096', null, 1e300])('a context of %j is none', (n_ctx) => {
  expect(answerOf({ total_slots: 2, default_generation_settings: { n_ctx } })?.context).toBe(
    undefined,
  )
})

test("another model's description is none", () => {
  const text = JSON.stringify(props(LOCAL_MODELS[0]!))
  expect(readProps(text, 'llama-server -m /models/other.gguf')).toBeUndefined()
})

test.each(['', 'OK', '[]', 'null', '{}', '{"error":"Loading model"}', '{"total_slots":'])(
  '%j is no description',
  (text) => {
    expect(readProps(text, 'llama-server')).toBeUndefined()
  },
)
