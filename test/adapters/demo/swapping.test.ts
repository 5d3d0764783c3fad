import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { startDemo, stopTime } from './start-demo.ts'

function words(count: number, model: string, stream = true): object {
  return { model, stream, messages: [{ role: 'user', content: `write ${count} words` }] }
}

test('a request is held without a byte until its model is loaded', async () => {
  stopTime()
  const demo = await startDemo({ loadMs: 60_000 })
  let isAnswered = false
  const answer = demo.post('/v1/chat/completions', words(5, 'coder')).then((response) => {
    isAnswered = true
    return response.text()
  })
  await vi.waitFor(
    async () => expect(await demo.running()).toEqual(['qwen3-coder-next starting']),
    { timeout: 10_000 },
  )

  vi.advanceTimersByTime(40_000)

  expect(await demo.running()).toEqual(['qwen3-coder-next starting'])
  expect(isAnswered).toBe(false)
  vi.advanceTimersByTime(20_000)
  expect(await answer).toContain('[DONE]')
})

test('a swap waits for the requests of the resident model', async () => {
  const demo = await startDemo({ tokensPerSecond: 200 })
  const order: string[] = []
  const first = await demo.post('/v1/chat/completions', words(40, 'glm-4.7-flash'))
  const firstText = first.text().then((text) => {
    order.push('first')
    return text
  })

  const second = await demo.post('/v1/chat/completions', words(5, 'gpt-oss-120b', false))
  order.push('second')

  expect(second.status).toBe(200)
  expect(order).toEqual(['first', 'second'])
  expect(await firstText).toContain('[DONE]')
  expect(await demo.running()).toEqual(['gpt-oss-120b ready'])
})

test('the resident model passes those who wait for another one', async () => {
  const demo = await startDemo({ tokensPerSecond: 200 })
  const order: string[] = []
  const ask = async (label: string, body: object): Promise<void> => {
    await (await demo.post('/v1/chat/completions', body)).text()
    order.push(label)
  }
  const resident = await demo.post('/v1/chat/completions', words(60, 'coder'))
  const other = ask('other', words(5, 'glm-4.7-flash'))
  await sleep(20)

  await Promise.all([other, ask('late', words(5, 'coder')), resident.text()])

  expect(order).toEqual(['late', 'other'])
})

test('a fifth request waits for one of the four slots', async () => {
  const demo = await startDemo({ tokensPerSecond: 200 })
  const four = Array.from({ length: 4 }, () =>
    demo.post('/v1/chat/completions', words(100, 'coder')),
  )
  const streams = (await Promise.all(four)).map((response) => response.text())
  let isFifthAnswered = false
  const fifth = demo.post('/v1/chat/completions', words(5, 'coder')).then((response) => {
    isFifthAnswered = true
    return response.text()
  })

  await sleep(50)

  expect(isFifthAnswered).toBe(false)
  await Promise.all(streams)
  expect(await fifth).toContain('[DONE]')
})

test('more than ten requests for a model are refused as by llama-swap', async () => {
  const demo = await startDemo({ loadMs: 1500 })

  const responses = await Promise.all(
    Array.from({ length: 11 }, () =>
      demo.post('/v1/messages/count_tokens', { model: 'coder', messages: [] }),
    ),
  )

  const refused = responses.filter(({ status }) => status !== 200)
  expect(refused.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([
    [429, '1'],
  ])
  expect(await refused[0]!.text()).toBe(
    '{"src":"llama-swap","error":{"message":"Too many requests","type":"rate_limit_error",' +
      '"param":null,"code":"concurrency_limit"}}',
  )
})

describe('unloading', () => {
  test('ends a stream cleanly but without its terminator', async () => {
    const demo = await startDemo({ tokensPerSecond: 100 })
    const response = await demo.post('/v1/chat/completions', words(5000, 'coder'))

    const unload = await demo.get('/unload')

    expect([unload.status, await unload.text()]).toEqual([200, 'OK'])
    expect(await response.text()).not.toMatch(/\[DONE\]|"finish_reason":"/)
    expect(await demo.running()).toEqual([])
  })

  test('leaves an empty 502 to a whole answer', async () => {
    const demo = await startDemo({ tokensPerSecond: 100 })
    const answer = demo.post('/v1/chat/completions', words(5000, 'coder', false))
    await sleep(60)

    const unload = await demo.post('/api/models/unload/coder', {})

    const response = await answer
    expect([unload.status, await unload.text()]).toEqual([200, 'OK'])
    expect([response.status, response.headers.get('content-type')]).toEqual([502, null])
    expect(await response.text()).toBe('')
  })

  test('fails those who wait for the load', async () => {
    const demo = await startDemo({ loadMs: 10_000 })
    const answer = demo.post('/v1/chat/completions', words(5, 'coder'))
    await sleep(50)

    const unload = await demo.post('/api/models/unload', {})

    const response = await answer
    expect(await unload.json()).toEqual({ msg: 'ok' })
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        src: 'llama-swap',
        error: {
          message: 'unspecific error: group: model unloaded',
          type: 'server_error',
          param: null,
          code: 'internal_error',
        },
      },
    ])
  })

  test('of a model that does not exist is a 404', async () => {
    const demo = await startDemo()

    const response = await demo.post('/api/models/unload/nobody', {})

    expect([response.status, await response.json()]).toEqual([
      404,
      {
        src: 'llama-swap',
        error: {
          message: 'model not found',
          type: 'invalid_request_error',
          param: null,
          code: 'not_found',
        },
      },
    ])
  })
})
