import { describe, expect, test } from 'vitest'
import {
  connectionProblem,
  readGateAnswer,
  type Asked,
  type GateAnswer,
} from '../../../../src/opencode/check/gate-answer.ts'

const asked = { url: 'http://box:3000', keyVariable: 'MY_KEY', hasKey: true }
const refusal = (message: string): string => JSON.stringify({ error: { message } })

describe('the answer of a gate', () => {
  test('has the models that the key may use', () => {
    const record = {
      id: 'm',
      context_length: 4096,
      meta: {
        swapgate: {
          use: 'chat',
          context_source: 'props',
          context_certainty: 'exact',
          context_why: 'asked',
        },
      },
    }
    const answer = readGateAnswer({ status: 200, body: JSON.stringify({ data: [record] }) }, asked)
    expect(answer).toMatchObject({
      ok: true,
      models: [
        {
          id: 'm',
          use: 'chat',
          context: { tokens: 4096, source: 'props', certainty: 'exact', why: 'asked' },
        },
      ],
    })
  })

  test.each<[string, GateAnswer, Partial<Asked>, string]>([
    [
      'gate-key-unset',
      { status: 401, body: refusal('No API key received.') },
      { hasKey: false },
      'http://box:3000 wants a key, and MY_KEY is not set here.',
    ],
    [
      'gate-key-refused',
      { status: 401, body: refusal('This API key has expired.') },
      {},
      'http://box:3000 refused the key in MY_KEY: This API key has expired.',
    ],
    [
      'gate-key-refused',
      { status: 401, body: '<html>' },
      {},
      'http://box:3000 refused the key in MY_KEY.',
    ],
    [
      'gate-key-forbidden',
      { status: 403, body: refusal('Not for you.\u001B[2J') },
      {},
      'The key in MY_KEY is known, but may not use models: Not for you. [2J',
    ],
    ['gate-failed', { status: 502, body: '' }, {}, 'http://box:3000 answered with 502.'],
    [
      'gate-failed',
      { status: 429, body: refusal('Rate limit.') },
      {},
      'http://box:3000 answered with 429: Rate limit.',
    ],
    [
      'not-a-gate',
      { status: 404, body: 'not found' },
      {},
      'http://box:3000 answers with 404, and not like the gate.',
    ],
    [
      'not-a-gate',
      { status: 200, body: '<html>' },
      {},
      'http://box:3000 answers with 200, and not like the gate.',
    ],
    [
      'not-a-gate',
      { status: 200, body: '{"data":[{"id":"m"}]}' },
      {},
      'http://box:3000 answers like llama-swap or another model server, not like the gate.',
    ],
  ])('is told as %s: %j', (code, ...[answer, about, message]) => {
    expect(readGateAnswer(answer, { ...asked, ...about })).toMatchObject({
      ok: false,
      problem: { code, message },
    })
  })

  test.each([
    ['ECONNREFUSED', 'gate-unreachable'],
    ['ENOTFOUND', 'gate-unreachable'],
    ['ConnectionRefused', 'gate-unreachable'],
    ['no answer within 15 s', 'gate-unreachable'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'gate-tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'gate-tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'gate-tls'],
    ['CERT_HAS_EXPIRED', 'gate-tls'],
    ['invalid peer certificate: UnknownIssuer', 'gate-tls'],
  ])('is not there, for %s: %s', (reason, code) => {
    expect(connectionProblem('https://box', reason).code).toBe(code)
  })
})
