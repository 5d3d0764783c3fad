import { expect, test } from 'vitest'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import type { FakeCall } from '../../support/fake-upstream.ts'
import { answerEverything, KEYS, openGate, post } from './open-gate.ts'

const CHAT = '/v1/chat/completions'

test.each<[string, (call: FakeCall) => void]>([
  ['cannot be reached', (call) => void call.failure('unreachable')],
  ['closes every connection', (call) => void call.failure('reset')],
  [
    'is a tunnel without its other end',
    (call) =>
      void call.answer({ status: 530, headers: [['content-type', 'text/html']], body: '<html>' }),
  ],
])('a flood while upstream %s leaves nothing behind, and it needs no restart', async (_, die) => {
  const clock = fakeClock()
  const limits = createMemoryLimitStore({ clock })
  const { ask, upstream } = await openGate(
    {
      keys: [{ id: 'laptop', secret: KEYS.user, limits: { concurrent: 1, waiting: 99 } }],
      queue: { slotsPerModel: 1 },
    },
    { clock, limits },
  )
  upstream.onCall = die
  const asked = post(KEYS.user, { model: 'glm-4.7-flash', stream: true })
  const flood = await Promise.all(Array.from({ length: 100 }, () => ask(CHAT, asked)))
  const statuses = new Set(
    flood.map(({ status, headers }) => `${status} ${headers['retry-after']}`),
  )
  // One place in all: what one of them had kept would be missing now.
  upstream.onCall = answerEverything
  const after = await Promise.all([ask(CHAT, asked), ask(CHAT, asked)])
  expect({
    statuses,
    live: upstream.calls.filter((call) => call.isLive).length,
    after: after.map(({ status }) => status),
  }).toEqual({ statuses: new Set(['503 5']), live: 0, after: [200, 200] })
})
