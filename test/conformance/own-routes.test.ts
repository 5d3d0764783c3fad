import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { harnesses, KEYS, ROOMY } from './gates.ts'

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
  })
  afterAll(async () => {
    await gate.stop()
    await upstream.stop()
  })

  test('GET /health answers without a key and says nothing of keys', async () => {
    const answer = await fetch(`${gate.url}/health`)
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 200,
      body: { status: 'ok' },
    })
  })

  test.each(['/', '/api/hello'])('HEAD %s answers 200 without a key', async (path) => {
    const answer = await fetch(gate.url + path, { method: 'HEAD' })
    expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 200, body: '' })
  })

  describe('/.well-known/opencode', () => {
    const PATH = '/.well-known/opencode'

    test('is unknown where it is not switched on', async () => {
      const headers = { authorization: `Bearer ${KEYS.user}` }
      const answers = [await fetch(gate.url + PATH), await fetch(gate.url + PATH, { headers })]
      expect(answers.map(({ status }) => status)).toEqual([401, 404])
    })

    test('is open to everybody where it is, and names no model and no key', async () => {
      const open = await harness.start({
        upstream: { url: upstream.url },
        ...ROOMY,
        opencode: { wellKnown: true },
        publicUrl: 'https://llm.example',
      })
      const answer = await fetch(open.url + PATH)
      const text = await answer.text()
      await open.stop()
      const value: unknown = JSON.parse(text)
      expect(answer.status).toBe(200)
      expect(value).toMatchObject({
        auth: { env: 'LLAMA_SWAP_API_KEY' },
        remote_config: {
          url: 'https://llm.example/opencode.json',
          headers: { Authorization: 'Bearer {env:LLAMA_SWAP_API_KEY}' },
        },
      })
      expect(text).not.toMatch(/gpt-oss|sk-/)
    })
  })
})
