import { describe, expect, test } from 'vitest'
import type { HeaderPairs, Upstream, UpstreamFailure } from '../../../src/deps.ts'
import { ask, errorOfAsked, type Asked } from '../../../src/llama-swap/ask.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'

const HEADERS: HeaderPairs = [['authorization', 'Bearer internal']]

function setUp(): { upstream: FakeUpstream; clock: ReturnType<typeof fakeClock> } {
  return { upstream: new FakeUpstream(), clock: fakeClock() }
}

test('a question is one GET with the fields of the gate and no body', async () => {
  const { upstream, clock } = setUp()
  const answer = ask({ upstream, clock, headers: HEADERS }, '/v1/models')
  upstream.last.answer({ body: '{}' })
  await answer
  expect(upstream.calls.map(({ request }) => request)).toEqual([
    { method: 'GET', target: '/v1/models', headers: HEADERS, body: undefined },
  ])
})

test('the answer is given whole, whatever its status and however it came', async () => {
  const { upstream, clock } = setUp()
  const answer = ask({ upstream, clock, headers: [] }, '/running')
  const bytes = new TextEncoder().encode('naïve 😀')
  upstream.last.head(418, [['x-a', '1']])
  for (const byte of bytes) upstream.last.chunk(Uint8Array.of(byte))
  upstream.last.end()
  expect(await answer).toEqual({ status: 418, headers: [['x-a', '1']], text: 'naïve 😀' })
  expect(clock.pending()).toBe(0)
})

test('an answer without a body is empty text', async () => {
  const { upstream, clock } = setUp()
  const answer = ask({ upstream, clock, headers: [] }, '/running')
  upstream.last.head(204).end()
  expect(await answer).toEqual({ status: 204, headers: [], text: '' })
})

test.each<UpstreamFailure>(['unreachable', 'reset'])('a failure is told: %s', async (failure) => {
  const { upstream, clock } = setUp()
  const answer = ask({ upstream, clock, headers: [] }, '/v1/models')
  upstream.last.head(200).chunk('{"da').failure(failure)
  expect(await answer).toBe(failure)
  expect(clock.pending()).toBe(0)
})

describe('a connection that turns out to be dead', () => {
  test('is no answer: the question is asked once more', async () => {
    const { upstream, clock } = setUp()
    const answer = ask({ upstream, clock, headers: HEADERS }, '/v1/models')
    upstream.onCall = (call) => call.answer({ body: '{}' })
    upstream.last.failure('reset')
    expect(await answer).toEqual({ status: 200, headers: [], text: '{}' })
    expect(upstream.calls.map(({ request }) => request)).toEqual([
      { method: 'GET', target: '/v1/models', headers: HEADERS, body: undefined },
      { method: 'GET', target: '/v1/models', headers: HEADERS, body: undefined },
    ])
    expect(clock.pending()).toBe(0)
  })

  test('twice has nobody behind it', async () => {
    const { upstream, clock } = setUp()
    upstream.onCall = (call) => call.failure('reset')
    expect(await ask({ upstream, clock, headers: [] }, '/v1/models')).toBe('unreachable')
    expect([upstream.calls.length, clock.pending()]).toEqual([2, 0])
  })

  test('is not one that cannot be made, nor one that breaks in the middle of an answer', async () => {
    const { upstream, clock } = setUp()
    upstream.onCall = (call) => call.failure('unreachable')
    expect(await ask({ upstream, clock, headers: [] }, '/v1/models')).toBe('unreachable')
    upstream.onCall = (call) => call.head(200).failure('reset')
    expect(await ask({ upstream, clock, headers: [] }, '/v1/models')).toBe('reset')
    expect(upstream.calls.length).toBe(2)
  })
})

test('after ten seconds without an end the question is given up and closed', async () => {
  const { upstream, clock } = setUp()
  const answer = ask({ upstream, clock, headers: [] }, '/v1/models')
  upstream.last.head(200).chunk('{')
  await clock.advance(9999)
  expect(upstream.last.aborts).toBe(0)
  await clock.advance(1)
  expect(await answer).toBe('timeout')
  expect([upstream.last.aborts, clock.pending()]).toEqual([1, 0])
})

test('an upstream that answers or fails while it is being called is heard', async () => {
  const clock = fakeClock()
  const atOnce: Upstream = {
    send(_request, events) {
      events.failure('unreachable')
      return { pause() {}, resume() {}, abort() {} }
    },
  }
  expect(await ask({ upstream: atOnce, clock, headers: [] }, '/v1/models')).toBe('unreachable')
  expect(clock.pending()).toBe(0)
})

function whole(status: number, headers: HeaderPairs = [], text = ''): Asked {
  return { status, headers, text }
}

describe('what came back instead of an answer', () => {
  const page: HeaderPairs = [['content-type', 'text/html']]

  test.each<[Asked, string]>([
    ['timeout', 'upstream-timeout'],
    ['unreachable', 'upstream-unreachable'],
    ['reset', 'upstream-broken'],
    [whole(500), 'upstream-broken'],
    [whole(401), 'upstream-key-refused'],
    [whole(403), 'upstream-key-refused'],
    [whole(404), 'upstream-not-llama-swap'],
    [whole(200), 'upstream-not-llama-swap'],
    [whole(508), 'loop'],
    [whole(530, page), 'upstream-unreachable'],
    [whole(524), 'upstream-timeout'],
    [whole(502, page), 'upstream-unreachable'],
    [whole(502, [['cf-ray', '8f-FRA']], 'error code: 502'), 'upstream-unreachable'],
    [whole(404, page), 'upstream-not-llama-swap'],
    [whole(404, [...page, ['ngrok-error-code', 'ERR_NGROK_3200']]), 'upstream-unreachable'],
    [whole(403, page), 'upstream-not-llama-swap'],
    [whole(302, [['location', 'https://login.example/']]), 'upstream-not-llama-swap'],
  ])('%j is %s', (asked, kind) => {
    expect(errorOfAsked(asked)).toEqual({ kind })
  })
})
