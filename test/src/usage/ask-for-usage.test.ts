import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withMembers } from '../../../src/body/rewrite-json.ts'
import { scanJsonObject } from '../../../src/body/scan-json.ts'
import { askForUsage, type UsageQuestion } from '../../../src/usage/ask-for-usage.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function ask(text: string, rest: Partial<UsageQuestion> = {}): { text: string; takeOut: object } {
  const body = encoder.encode(text)
  const scan = scanJsonObject(body)
  if (!scan.ok) throw new Error(`${scan.problem} at ${scan.at} in ${text}`)
  const question = { format: 'chat', streamed: true, isLlamaCpp: false } as const
  const asked = askForUsage({ ...question, body, members: scan.members, ...rest })
  const changed = withMembers({ body, members: scan.members }, asked.changes)
  return { text: decoder.decode(changed), takeOut: asked.takeOut }
}

const left = { usage: false, progress: false }
const usage = { usage: true, progress: false }
const progress = { usage: false, progress: true }

describe('a server that is not known', () => {
  test.each([
    ['{"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}', usage],
    [
      ' {"stream_options" : {} ,"stream":true}',
      ' {"stream_options" : {"include_usage":true} ,"stream":true}',
      usage,
    ],
    [
      '{"stream_options":{"include_usage":false,"a":[1]}}',
      '{"stream_options":{"include_usage":true,"a":[1]}}',
      usage,
    ],
    [
      '{"stream_options":{ "a": "grüß 🌍" }}',
      '{"stream_options":{"include_usage":true, "a": "grüß 🌍" }}',
      usage,
    ],
    [
      String.raw`{"stream\u005foptions":{"include\u005fusage":false}}`,
      String.raw`{"stream\u005foptions":{"include\u005fusage":true}}`,
      usage,
    ],
  ])('is asked for usage: %s', (text, asked, takeOut) => {
    expect(ask(text)).toEqual({ text: asked, takeOut })
  })

  test('is not asked for what the client asked for', () => {
    const text = '{"stream":true,"stream_options":{"include_usage":true}}'
    expect(ask(text)).toEqual({ text, takeOut: left })
  })
})

describe('llama.cpp, which has timings in its last chunk', () => {
  test.each([
    ['{"stream":true}', '{"return_progress":true,"stream":true}'],
    ['{"return_progress":false,"stream":true}', '{"return_progress":true,"stream":true}'],
    [
      '{"stream":true,"stream_options":{"include_usage":true}}',
      '{"return_progress":true,"stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"stream":true,"stream_options":{"include_usage":false}}',
      '{"return_progress":true,"stream":true,"stream_options":{"include_usage":false}}',
    ],
  ])('is asked for its progress only: %s', (text, asked) => {
    expect(ask(text, { isLlamaCpp: true })).toEqual({ text: asked, takeOut: progress })
  })

  test.each(['true', 'null', '"yes"', '0'])(
    'is not asked where the client wrote return_progress %s',
    (value) => {
      const text = `{"stream":true,"return_progress":${value}}`
      expect(ask(text, { isLlamaCpp: true })).toEqual({ text, takeOut: left })
    },
  )
})

describe('a request is left alone', () => {
  test.each([
    'null',
    '[]',
    '"x"',
    '{"include_usage":"yes"}',
    '{"include_usage":null}',
    '{"a":1,"a":2}',
  ])('whose stream_options upstream must judge: %s', (options) => {
    const text = `{"stream":true,"stream_options":${options}}`
    expect([ask(text), ask(text, { isLlamaCpp: true })]).toEqual([
      { text, takeOut: left },
      { text, takeOut: left },
    ])
  })

  test.each<[string, Partial<UsageQuestion>]>([
    ['that is not streamed', { streamed: false }],
    ['for messages', { format: 'messages' }],
    ['for responses', { format: 'responses' }],
    ["for llama.cpp's own completion", { format: 'native' }],
    ['for something without streams', { format: undefined }],
  ])('%s', (_, rest) => {
    const text = '{"stream":true}'
    expect([ask(text, rest), ask(text, { ...rest, isLlamaCpp: true })]).toEqual([
      { text, takeOut: left },
      { text, takeOut: left },
    ])
  })
})

test('all that the client wrote stays, whatever it is', () => {
  const options = fc.dictionary(fc.string(), fc.jsonValue())
  const json = fc.record({ stream_options: options, messages: fc.jsonValue() })
  fc.assert(
    fc.property(json, fc.boolean(), (body, isLlamaCpp) => {
      fc.pre(!Object.hasOwn(body.stream_options, 'include_usage'))
      const { text } = ask(JSON.stringify(body), { isLlamaCpp })
      const asked = isLlamaCpp
        ? { ...body, return_progress: true }
        : { ...body, stream_options: { ...body.stream_options, include_usage: true } }
      // Through JSON, which has no -0 and knows names such as __proto__.
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(asked)))
    }),
  )
})
