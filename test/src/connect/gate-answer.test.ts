import { describe, expect, test } from 'vitest'
import {
  connectionProblem,
  readGateAnswer,
  type Asked,
  type GateAnswer,
} from '../../../src/connect/gate-answer.ts'

const asked = { url: 'http://box:3000', keyVariable: 'MY_KEY', key: 'my-key-1' }
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

  test('may have no model for the key', () => {
    const body = '{"object":"list","data":[],"has_more":false,"first_id":null,"last_id":null}'
    expect(readGateAnswer({ status: 200, body }, asked)).toEqual({ ok: true, models: [] })
  })

  test.each<[string, GateAnswer, string]>([
    [
      'http://box:3000/ui',
      { status: 404, body: refusal('There is no such route.') },
      '--url http://box:3000',
    ],
    [
      'http://box:3000',
      { status: 301, body: '', location: 'https://llm.example/box/v1/models' },
      '--url https://llm.example/box',
    ],
    [
      'http://box:3000/llm',
      { status: 400, body: 'The plain HTTP request was sent to HTTPS port' },
      '--url https://box:3000/llm',
    ],
  ])('names the address to take in place of %s: %j', (url, ...[answer, fix]) => {
    expect(readGateAnswer(answer, { ...asked, url })).toMatchObject({ problem: { fix } })
  })

  test.each<[string, GateAnswer, Partial<Asked>, string]>([
    [
      'gate-key-unset',
      { status: 401, body: refusal('No API key received.') },
      { key: undefined },
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
      'gate-key-refused',
      { status: 401, body: refusal(`${'x'.repeat(190)} Bearer my-key-1 is not here`) },
      {},
      `http://box:3000 refused the key in MY_KEY: ${'x'.repeat(190)} Bearer <t`,
    ],
    [
      'gate-failed',
      { status: 500, body: refusal('no my-key-1, nor sk-of-somebody-else-0123') },
      {},
      'http://box:3000 answered with 500: no <the key>, nor <a key>',
    ],
    [
      'not-a-gate',
      { status: 404, body: 'not found' },
      {},
      'http://box:3000 answers with 404 for /v1/models, and not like the gate.',
    ],
    [
      'not-a-gate',
      { status: 404, body: refusal('There is no such route.') },
      { url: 'http://box:3000/api' },
      'http://box:3000/api answers with 404 for /v1/models: /api is not where the gate begins.',
    ],
    [
      'not-a-gate',
      { status: 403, body: refusal('Needs the scope admin.') },
      { url: 'http://box:3000/ui' },
      'http://box:3000/ui answers with 403 for /v1/models: /ui is not where the gate begins.',
    ],
    [
      'gate-key-forbidden',
      { status: 403, body: refusal('No.') },
      { url: 'https://home/llm' },
      'The key in MY_KEY is known, but may not use models: No.',
    ],
    [
      'gate-moved',
      { status: 308, body: '', location: 'https://box.example/v1/models?my-key-1' },
      {},
      'http://box:3000 sends on to https://box.example/v1/models.',
    ],
    [
      'not-a-gate',
      { status: 302, body: '', location: '/login/my-key-1?next=%2Fv1%2Fmodels' },
      {},
      'http://box:3000 sends on to http://box:3000/login/<the key> (302): a page to log in, or another server.',
    ],
    [
      'not-a-gate',
      { status: 303, body: '' },
      {},
      'http://box:3000 sends on to another place (303): a page to log in, or another server.',
    ],
    [
      'gate-other-scheme',
      { status: 400, body: '<html>The plain HTTP request was sent to HTTPS port' },
      {},
      'box:3000 speaks TLS, not plain HTTP.',
    ],
    [
      'gate-other-scheme',
      { status: 400, body: 'Client sent an HTTP request to an HTTPS server.' },
      {},
      'box:3000 speaks TLS, not plain HTTP.',
    ],
    [
      'not-a-gate',
      { status: 200, body: '{"object":"list","data":[]}' },
      {},
      'http://box:3000 answers like llama-swap or another model server, not like the gate.',
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
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'gate-other-scheme'],
    ['EPROTO', 'gate-other-scheme'],
    ['received corrupt message of type InvalidContentType', 'gate-other-scheme'],
  ])('is not there, for %s: %s', (reason, code) => {
    expect(connectionProblem('https://box', reason).code).toBe(code)
  })

  test.each([
    ['https://box:3000', 'EPROTO', '--url http://box:3000'],
    [
      'http://box',
      'UND_ERR_SOCKET',
      "If it speaks TLS: --url https://box. If not, is it the gate's port?",
    ],
    [
      'http://box',
      'ECONNRESET',
      "If it speaks TLS: --url https://box. If not, is it the gate's port?",
    ],
  ])('at %s, for %s, may speak the other protocol', (url, reason, fix) => {
    expect(connectionProblem(url, reason).fix).toBe(fix)
  })
})
