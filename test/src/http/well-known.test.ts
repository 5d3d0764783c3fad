import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { codeOf, KEYS, openGate } from './open-gate.ts'

const PATH = '/.well-known/opencode'
const ON = { opencode: { wellKnown: true }, publicUrl: 'https://llm.example/' }

describe('GET /.well-known/opencode', () => {
  test('says to everybody how to get a key and where the configuration is, and asks nobody', async () => {
    const { ask, upstream } = await openGate(ON)
    const { status, text, headers } = await ask(PATH)
    expect([status, headers['content-type'], JSON.parse(text), upstream.calls]).toEqual([
      200,
      'application/json',
      {
        auth: { command: ['sh', '-c', expect.any(String)], env: 'LLAMA_SWAP_API_KEY' },
        config: { provider: { 'llama-swap': { options: { apiKey: '{env:LLAMA_SWAP_API_KEY}' } } } },
        remote_config: {
          url: 'https://llm.example/opencode.json',
          headers: { Authorization: 'Bearer {env:LLAMA_SWAP_API_KEY}' },
        },
      },
      [],
    ])
  })

  test('is the same for every request, so that nobody decides what others run', async () => {
    const { ask } = await openGate(ON)
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' }
    const [plain, strange] = [await ask(PATH), await ask(`${PATH}?x=1`, { headers })]
    expect(strange.text).toBe(plain.text)
  })

  test('its command is one that a POSIX shell can read', async () => {
    const { ask } = await openGate(ON)
    const told: { auth: { command: [string, string, string] } } = JSON.parse((await ask(PATH)).text)
    expect(() => execFileSync('/bin/sh', ['-n', '-c', told.auth.command[2]])).not.toThrow()
  })

  test('is never refused for its number', async () => {
    const { ask } = await openGate({ ...ON, limits: { requestsPerMinute: 1 } })
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await ask(PATH)).status),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test.each([
    ['without a key', {}, 401, 'missing_api_key'],
    ['with a key', { key: KEYS.user }, 404, 'not_found'],
  ])('is as any unknown path where it is not switched on, %s', async (...row) => {
    const [, asked, status, code] = row
    const { ask } = await openGate({ publicUrl: 'https://llm.example' })
    const [known, unknown] = [await ask(PATH, asked), await ask('/.well-known/other', asked)]
    expect([known.status, codeOf(known), known.text]).toEqual([status, code, unknown.text])
  })
})
