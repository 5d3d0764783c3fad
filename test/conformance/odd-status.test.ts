import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { headerValue, textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { harnesses, ROOMY, KEYS } from './gates.ts'

const ADMIN_PATH = '/api/profiles'
const CHAT = '/v1/chat/completions'
const ADMIN = rawRequest({
  target: ADMIN_PATH,
  headers: { Authorization: `Bearer ${KEYS.admin}` },
})
const CALL = rawJsonPost(
  CHAT,
  { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }] },
  { Authorization: `Bearer ${KEYS.user}` },
)

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url },
      ...ROOMY,
      heartbeat: { afterMs: 0 },
    })
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  test.each([
    { status: 204, may: [204] },
    { status: 205, may: [205, 204] },
    { status: 304, may: [304] },
  ])('an answer $status of upstream is handed on without a body', async ({ status, may }) => {
    upstream.behaveAt(ADMIN_PATH, { kind: 'answer', status })
    const answer = await sendRaw(gate.url, ADMIN)
    expect(may).toContain(answer.status)
    expect([answer.ending, textOf(answer)]).toEqual(['complete', ''])
  })

  test.each([600, 999])('a status %i is handed on, or a 502 where it cannot be', async (status) => {
    upstream.behaveAt(ADMIN_PATH, { kind: 'answer', status, body: 'odd' })
    const answer = await sendRaw(gate.url, ADMIN)
    expect(answer.ending).toBe('complete')
    expect([
      [status, 'odd'],
      [502, ''],
    ]).toContainEqual([answer.status, textOf(answer)])
  })

  test('two answers without a body leave the connection in step', async () => {
    upstream.behaveAt(
      ADMIN_PATH,
      { kind: 'answer', status: 204 },
      { kind: 'answer', status: 200, headers: [['content-length', '0']] },
      { kind: 'answer', status: 200, headers: [['content-length', '2']], body: 'ok' },
    )
    const client = await openRaw(gate.url, ADMIN)
    const seen: unknown[] = []
    for (let i = 0; i < 3; i++) {
      if (i > 0) await client.write(ADMIN)
      const answer = await client.answer()
      seen.push([answer.status, textOf(answer), answer.extra.length])
    }
    client.close()
    expect(seen).toEqual([
      [204, '', 0],
      [200, '', 0],
      [200, 'ok', 0],
    ])
  })

  test.each([
    { framing: 'with a length', headers: [['content-length', '2']] as const },
    { framing: 'in chunks', headers: [] },
  ])('header bytes above 7F reach the client unchanged, in an answer $framing', async (row) => {
    const headers = [...row.headers, ['x-name', 'caf\u00E9'] as const]
    const behaviour: Behaviour =
      row.headers.length > 0
        ? { kind: 'answer', status: 200, headers, body: 'ok' }
        : { kind: 'pieces', pieces: [{ bytes: 'o' }, { bytes: 'k', afterMs: 50 }], headers }
    upstream.behave(behaviour, behaviour)
    const answer = await sendRaw(gate.url, CALL)
    const usual = await sendRaw(upstream.url, CALL)
    expect([headerValue(answer, 'x-name'), textOf(answer), answer.ending]).toEqual([
      headerValue(usual, 'x-name'),
      'ok',
      'complete',
    ])
  })
})
