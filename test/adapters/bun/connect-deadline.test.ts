import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isReachable, withConnectDeadline } from '../../../adapters/bun/connect-deadline.ts'
import { freePort } from '../../support/free-port.ts'

const TARGET = 'http://box:8080/v1/models'
const never = () => new Promise<Response>(() => {})

describe('a request that gets no answer', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('fails where nobody can connect after eight seconds', async () => {
    const looked: string[] = []
    const fetch = withConnectDeadline(never, ({ href }, withinMs) => {
      looked.push(`${href} ${withinMs}`)
      return Promise.resolve(false)
    })
    const told = fetch(TARGET, {}).catch(String)
    await vi.advanceTimersByTimeAsync(7_999)
    expect(looked).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect([await told, looked]).toEqual(['Error: CONNECT_TIMEOUT', [`${TARGET} 4000`]])
  })

  test('waits for ever where somebody can: the server is only slow', async () => {
    const answer = Promise.withResolvers<Response>()
    const fetch = withConnectDeadline(
      () => answer.promise,
      () => Promise.resolve(true),
    )
    const told = fetch(TARGET, {})
    await vi.advanceTimersByTimeAsync(86_400_000)
    answer.resolve(new Response('late'))
    expect(await (await told).text()).toBe('late')
  })

  test('looks for nothing once there is an answer', async () => {
    const looked: string[] = []
    const fetch = withConnectDeadline(
      () => Promise.resolve(new Response('at once')),
      ({ href }) => Promise.resolve(looked.push(href) === 0),
    )
    const answer = await fetch(TARGET, {})
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect([await answer.text(), looked, vi.getTimerCount()]).toEqual(['at once', [], 0])
  })
})

test('who listens can be reached, and so can a machine on which nobody does: it says so', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  expect([
    await isReachable(new URL(`http://127.0.0.1:${port}/v1`), 10_000),
    await isReachable(new URL(`http://127.0.0.1:${await freePort()}`), 10_000),
  ]).toEqual([true, true])
})
