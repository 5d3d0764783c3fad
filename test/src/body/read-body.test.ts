import { describe, expect, test } from 'vitest'
import { readBody } from '../../../src/body/read-body.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const LIMIT = 8
const WITHIN_MS = 100_000

const time = (clock = fakeClock()) => ({ clock, withinMs: WITHIN_MS })

/** A request whose body comes in these pieces; `asked` counts how many of them were taken. */
function requestOf(
  pieces: string[],
  headers: Record<string, string> = {},
): { request: Request; asked: () => number; cancelled: () => boolean } {
  let asked = 0
  let cancelled = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[asked++]
        if (piece === undefined) controller.close()
        else if (piece === 'broken') controller.error(new TypeError('terminated'))
        else controller.enqueue(new TextEncoder().encode(piece))
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const init = { method: 'POST', body, duplex: 'half', headers } as const
  return {
    request: new Request('http://gate.test/', init),
    asked: () => asked,
    cancelled: () => cancelled,
  }
}

describe('a body', () => {
  test.each([
    ['none', [], ''],
    ['in one piece', ['12345678'], '12345678'],
    ['in many pieces', ['1', '', '234', '5678'], '12345678'],
  ])('%s is read whole up to exactly the limit', async (_, pieces, whole) => {
    const { request } = requestOf(pieces)
    expect(await readBody(request, LIMIT, time())).toEqual(new TextEncoder().encode(whole))
  })

  test('that is not there is empty', async () => {
    const request = new Request('http://gate.test/', { method: 'POST' })
    expect(await readBody(request, LIMIT, time())).toEqual(new Uint8Array())
  })

  test('whose length is said to be too large is refused before a byte is read', async () => {
    const { request, asked } = requestOf(['1'], { 'content-length': '9' })

    expect(await readBody(request, LIMIT, time())).toBe('too-large')
    expect(asked()).toBe(0)
  })

  test('that grows too large is refused at once, and the rest is not read', async () => {
    const { request, asked, cancelled } = requestOf(['12345', '6789', 'more', 'and more'])

    expect(await readBody(request, LIMIT, time())).toBe('too-large')
    expect({ asked: asked(), cancelled: cancelled() }).toEqual({ asked: 2, cancelled: true })
  })

  test('that is larger than its Content-Length says is refused all the same', async () => {
    const { request } = requestOf(['123456789'], { 'content-length': '3' })
    expect(await readBody(request, LIMIT, time())).toBe('too-large')
  })

  test('with a Content-Length that is no number is measured by what comes', async () => {
    const { request } = requestOf(['12345678'], { 'content-length': 'many' })
    expect(await readBody(request, LIMIT, time())).toEqual(new TextEncoder().encode('12345678'))
  })

  test('whose client leaves on the way is aborted', async () => {
    const { request } = requestOf(['123', 'broken'])
    expect(await readBody(request, LIMIT, time())).toBe('aborted')
  })
})

/** A request whose body the test writes, and how it was cancelled. */
function openRequest(): {
  request: Request
  body: ReadableStreamDefaultController<Uint8Array>
  cancelled: () => boolean
} {
  let body!: ReadableStreamDefaultController<Uint8Array>
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (body = controller),
    cancel: () => void (cancelled = true),
  })
  const init = { method: 'POST', body: stream, duplex: 'half' } as const
  return { request: new Request('http://gate.test/', init), body, cancelled: () => cancelled }
}

describe('a client that falls silent in its body', () => {
  test('is given up after a minute without a byte', async () => {
    const clock = fakeClock()
    const { request, body, cancelled } = openRequest()
    const reading = readBody(request, LIMIT, time(clock))
    body.enqueue(new Uint8Array(1))
    await clock.advance(59_999)
    expect(cancelled()).toBe(false)
    await clock.advance(1)
    expect(await reading).toBe('too-slow')
    expect({ cancelled: cancelled(), pending: clock.pending() }).toEqual({
      cancelled: true,
      pending: 0,
    })
  })

  test('but not as long as something comes now and then', async () => {
    const clock = fakeClock()
    const { request, body } = openRequest()
    const reading = readBody(request, LIMIT, time(clock))
    for (let i = 0; i < 3; i++) {
      await clock.advance(33_333)
      body.enqueue(new Uint8Array([i]))
    }
    body.close()
    expect(await reading).toEqual(new Uint8Array([0, 1, 2]))
    expect(clock.pending()).toBe(0)
  })

  test('nor longer than a body may take, although something comes now and then', async () => {
    const clock = fakeClock()
    const { request, body, cancelled } = openRequest()
    const reading = readBody(request, LIMIT, time(clock))
    await clock.advance(WITHIN_MS / 2)
    body.enqueue(new Uint8Array(1))
    await clock.advance(WITHIN_MS / 2 - 1)
    expect(cancelled()).toBe(false)
    await clock.advance(1)
    expect(await reading).toBe('too-slow')
    expect({ cancelled: cancelled(), pending: clock.pending() }).toEqual({
      cancelled: true,
      pending: 0,
    })
  })

  test.each([
    ['too large', ['123456789'], 'too-large'],
    ['broken', ['1', 'broken'], 'aborted'],
  ])('leaves no timer behind when its body is %s', async (_, pieces, result) => {
    const clock = fakeClock()
    expect(await readBody(requestOf(pieces).request, LIMIT, time(clock))).toBe(result)
    expect(clock.pending()).toBe(0)
  })
})
