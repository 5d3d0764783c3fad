import { expect, test } from 'vitest'
import { gateUrl } from '../../../src/connect/gate-url.ts'

test.each([
  ['http://box:3000', 'http://box:3000'],
  ['http://box:3000/', 'http://box:3000'],
  ['http://box:3000/v1', 'http://box:3000'],
  ['http://box:3000/v1/', 'http://box:3000'],
  ['http://box:3000/v1/models', 'http://box:3000'],
  ['http://box:3000/v1/models?limit=10', 'http://box:3000'],
  ['http://box:3000/opencode.json', 'http://box:3000'],
  ['https://home.example/llm/v1', 'https://home.example/llm'],
  ['https://home.example/llm', 'https://home.example/llm'],
  ['https://home.example/v1/v1', 'https://home.example/v1'],
])('%s leads to the gate at %s', (text, url) => {
  expect(gateUrl(text)).toEqual({ ok: true, url })
})

test.each(['http://box:3000/ui', 'http://box:3000/ui/', 'http://box:3000/ui/models'])(
  '%s is a page',
  (text) => {
    expect(gateUrl(text)).toEqual({
      ok: false,
      message: expect.stringMatching(/the gate begins before \/ui: http:\/\/box:3000$/),
    })
  },
)
