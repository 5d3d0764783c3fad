import { expect, test } from 'vitest'
import { tellOutages, type OutageNews } from '../../../src/proxy/tell-outages.ts'
import type { UpstreamFailure } from '../../../src/deps.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'

const REQUEST = { method: 'GET', target: '/', headers: [], body: undefined }

function told(...answers: Array<UpstreamFailure | number>): {
  news: OutageNews[]
  seen: unknown[]
} {
  const upstream = new FakeUpstream()
  const news: OutageNews[] = []
  const seen: unknown[] = []
  const watched = tellOutages(upstream, (one) => news.push(one))
  for (const [at, answer] of answers.entries()) {
    watched.send(REQUEST, {
      head: (status) => seen.push(status),
      chunk: () => {},
      end: () => seen.push('end'),
      failure: (failure) => seen.push(failure),
    })
    const call = upstream.calls[at]!
    if (typeof answer === 'number') call.answer({ status: answer })
    else call.failure(answer)
  }
  return { news, seen }
}

test('an outage is told once, and its end once', () => {
  expect(told(200, 'unreachable', 'unreachable', 503, 200, 'unreachable')).toEqual({
    news: [{ isDown: true, cause: '' }, { isDown: false }, { isDown: true, cause: '' }],
    seen: [200, 'end', 'unreachable', 'unreachable', 503, 'end', 200, 'end', 'unreachable'],
  })
})

test('a connection that breaks is no outage, and the first answer none that ends', () => {
  expect(told(200, 'reset', 200)).toEqual({
    news: [],
    seen: [200, 'end', 'reset', 200, 'end'],
  })
})
