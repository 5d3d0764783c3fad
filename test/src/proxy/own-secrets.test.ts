import { array, assert, boolean, property, string, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HeaderPairs } from '../../../src/deps.ts'
import type { RelayPlan } from '../../../src/proxy/relay-plan.ts'
import { isTelling, ownSecrets } from '../../../src/proxy/own-secrets.ts'
import { JSON_HEADERS, jsonAnswer, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { overflowBody } from '../../support/look-alike/error-answers.ts'
import { startRelay } from './start-relay.ts'

const SECRET = 'internal-"key"-4242'
const MARK: HeaderPairs = [['swapgate-error', 'upstream-refused']]

describe('the secrets of the configuration', () => {
  test.each([
    [{ headers: {} }, []],
    [{ apiKey: 'internal-key', headers: {} }, ['internal-key']],
    [{ apiKey: 'short', headers: { A: '1234567' } }, []],
    [
      { apiKey: 'internal-key', headers: { A: '12345678', Authorization: 'Basic b3duZXI6eA==' } },
      ['internal-key', '12345678', 'Basic b3duZXI6eA==', 'b3duZXI6eA=='],
    ],
  ])('of %j are %j', (upstream, secrets) => {
    expect(ownSecrets(upstream)).toEqual(secrets)
  })
})

const escaped = (letter: string): string =>
  `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`

test('a body tells a secret however JSON writes its letters', () => {
  const spelling = tuple(
    string({ minLength: 8, maxLength: 20 }).filter((text) => text.isWellFormed()),
    array(boolean(), { minLength: 40, maxLength: 40 }),
  )
  assert(
    property(spelling, string(), ([secret, isEscaped], before) => {
      const written = secret
        .split('')
        .map((letter, at) =>
          isEscaped[at] ? escaped(letter) : JSON.stringify(letter).slice(1, -1),
        )
        .join('')
      const body = `{"error": {"message": ${JSON.stringify(before).slice(0, -1)}${written}"}}`
      expect(isTelling(body, [secret])).toBe(true)
    }),
  )
})

test('a body without a secret tells none, and one that is no JSON is read as text', () => {
  expect([
    isTelling('{"a":"internal-\\u006b"}', ['internal-key']),
    isTelling('internal-key', ['internal-key']),
    isTelling('internal-\\u006bey', ['internal-key']),
  ]).toEqual([false, true, false])
})

const said = (message: string, more: object = {}) => ({ error: { message, ...more } })

describe.each(['normalised', 'passed-on'] as const)('errors that are %s', (errors) => {
  const plan: Partial<RelayPlan> = { errors, secrets: [SECRET] }

  test.each([
    ['in its message', said(`bad key ${SECRET}`)],
    ['in its type', said('no', { type: SECRET })],
    ['in its code', said('no', { code: SECRET })],
  ])('say nothing of their own where they hold one %s', (_, body) => {
    const relay = startRelay(plan)
    relay.call.answer({
      status: 400,
      headers: [...JSON_HEADERS, ...MARK, ['x-echo', SECRET]],
      body: JSON.stringify(body),
    })
    expect([relay.client.status, relay.client.text, relay.client.headers]).toEqual([
      400,
      expect.not.stringContaining('4242'),
      expect.not.arrayContaining([['x-echo', SECRET]]),
    ])
  })

  test('of a prompt that is too long do so, too', () => {
    const relay = startRelay(plan)
    const body = JSON.parse(overflowBody(70_000, 65_536))
    relay.call.answer(jsonAnswer({ ...body, seen: SECRET }, 400))
    expect([relay.client.status, relay.client.text]).toEqual([
      400,
      expect.not.stringContaining('4242'),
    ])
    expect(relay.client.text).toContain('context_length_exceeded')
  })

  test('say what they say where they hold none', () => {
    const relay = startRelay(plan)
    const headers = [...JSON_HEADERS, ...MARK]
    relay.call.answer({ status: 400, headers, body: JSON.stringify(said('no such voice')) })
    expect(relay.client.text).toContain('no such voice')
  })
})

test.each(['normalised', 'passed-on', 'as-is'] as const)(
  'no field of an answer holds one: %s',
  (errors) => {
    const relay = startRelay({ errors, secrets: [SECRET] })
    relay.call.head(200, [...STREAM_TYPE, ['x-echo', `Bearer ${SECRET}`], ['x-a', '1']])
    expect(relay.client.headers.map(([name]) => name)).toEqual([
      'content-type',
      'x-a',
      'cache-control',
      'x-accel-buffering',
      'x-request-id',
    ])
  },
)
