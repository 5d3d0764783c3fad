import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { harnesses, ROOMY } from './gates.ts'

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
})
