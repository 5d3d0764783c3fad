import { describe, expect, test } from 'vitest'
import type { HeaderPairs, OutboundRequest, UpstreamCall } from '../../../src/deps.ts'
import { createFetchUpstream } from '../../../src/proxy/fetch-upstream.ts'

type Told =
  | { head: number; headers: HeaderPairs }
  | { chunk: string }
  | 'end'
  | { failure: 'unreachable' | 'reset' }

const GET: OutboundRequest = { method: 'GET', target: '/v1/models', headers: [], body: undefined }

/** Promises that are settled now have been acted on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** One exchange over a fetch that answers when the test says so. */
function send(
  request: OutboundRequest = GET,
  origin = 'http://upstream.test',
): {
  call: UpstreamCall
  told: Told[]
  url: string
  init: RequestInit
  answer: (response: Response) => Promise<void>
  fail: (error: unknown) => Promise<void>
} {
  const answered = Promise.withResolvers<Response>()
  const asked: Array<{ url: string; init: RequestInit }> = []
  const upstream = createFetchUpstream(origin, (url, init) => {
    asked.push({ url, init })
    init.signal?.addEventListener('abort', () => answered.reject(init.signal?.reason))
    return answered.promise
  })
  const told: Told[] = []
  const call = upstream.send(request, {
    head: (head, headers) => void told.push({ head, headers }),
    chunk: (bytes) => void told.push({ chunk: new TextDecoder().decode(bytes) }),
    end: () => void told.push('end'),
    failure: (failure) => void told.push({ failure }),
  })
  return {
    call,
    told,
    url: asked[0]!.url,
    init: asked[0]!.init,
    answer(response) {
      answered.resolve(response)
      return settled()
    },
    fail(error) {
      answered.reject(error)
      return settled()
    },
  }
}

/** A body that the test writes, and how often it was asked for more. */
function openBody(): {
  body: ReadableStream<Uint8Array>
  controller: ReadableStreamDefaultController<Uint8Array>
  write: (text: string) => Promise<void>
  asked: () => number
} {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let asked = 0
  const body = new ReadableStream<Uint8Array>(
    {
      start: (its) => void (controller = its),
      pull: () => void asked++,
    },
    { highWaterMark: 0 },
  )
  return {
    body,
    controller,
    write(text) {
      controller.enqueue(new TextEncoder().encode(text))
      return settled()
    },
    asked: () => asked,
  }
}

const failing = (message: string, code?: string): Error =>
  Object.assign(new Error(message), code !== undefined && { code })

describe('the request', () => {
  test('is made of what the gate built, and follows no redirect', () => {
    const body = new Uint8Array([123, 125])
    const request: OutboundRequest = {
      method: 'POST',
      target: '/v1/chat/completions?beta=true',
      headers: [
        ['content-type', 'application/json'],
        ['x-a', '1'],
        ['x-a', '2'],
      ],
      body,
    }
    const { url, init } = send(request, 'https://tunnel.test/box')

    expect(url).toBe('https://tunnel.test/box/v1/chat/completions?beta=true')
    expect({ ...init, signal: undefined }).toEqual({
      method: 'POST',
      headers: request.headers,
      redirect: 'manual',
      signal: undefined,
      body,
    })
    expect(init.body).toBe(body)
  })

  test('without a body has none, not even an empty one', () => {
    expect('body' in send().init).toBe(false)
  })
})

describe('the answer', () => {
  test('is told piece by piece, to its end', async () => {
    const { told, answer } = send()
    const { body, controller, write } = openBody()

    await answer(new Response(body, { status: 201, headers: { 'x-a': '1' } }))
    expect(told).toEqual([{ head: 201, headers: [['x-a', '1']] }])
    await write('one')
    await write('two')
    controller.close()
    await settled()

    expect(told.slice(1)).toEqual([{ chunk: 'one' }, { chunk: 'two' }, 'end'])
  })

  test('without a body ends at once', async () => {
    const { told, answer } = send()
    await answer(new Response(null, { status: 204 }))
    expect(told).toEqual([{ head: 204, headers: [] }, 'end'])
  })

  test('that came compressed loses the fields that describe the compressed bytes', async () => {
    const { told, answer } = send()
    const headers = {
      'content-encoding': 'gzip',
      'content-length': '36',
      'content-type': 'text/plain',
    }
    await answer(new Response('a', { headers }))
    expect(told[0]).toEqual({ head: 200, headers: [['content-type', 'text/plain']] })
  })

  test('that came as it is keeps its length', async () => {
    const { told, answer } = send()
    await answer(
      new Response('a', { headers: { 'content-length': '1', 'content-type': 'text/plain' } }),
    )
    expect(told[0]).toEqual({
      head: 200,
      headers: [
        ['content-length', '1'],
        ['content-type', 'text/plain'],
      ],
    })
  })

  test('keeps several cookies apart', async () => {
    const { told, answer } = send()
    await answer(
      new Response(null, {
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
      }),
    )
    expect(told[0]).toEqual({
      head: 200,
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    })
  })
})

describe('a pause', () => {
  test('asks for no further chunk until the exchange is resumed', async () => {
    const { call, told, answer } = send()
    const { body, write, asked } = openBody()
    await answer(new Response(body))
    await write('one')
    expect(asked()).toBe(2)

    call.pause()
    call.pause()
    await write('two')
    await write('three')
    expect({ told: told.slice(1), asked: asked() }).toEqual({
      told: [{ chunk: 'one' }, { chunk: 'two' }],
      asked: 2,
    })
    call.resume()
    await settled()

    expect(told.slice(1)).toEqual([{ chunk: 'one' }, { chunk: 'two' }, { chunk: 'three' }])
  })

  test('that began while a chunk was told holds back the next one', async () => {
    const { call, told, answer } = send()
    const { body, write } = openBody()
    call.pause()
    await answer(new Response(body))
    await write('one')
    await write('two')
    expect(told.slice(1)).toEqual([{ chunk: 'one' }])
    call.resume()
    await settled()
    expect(told.slice(1)).toEqual([{ chunk: 'one' }, { chunk: 'two' }])
  })

  test('that is over before it matters changes nothing', async () => {
    const { call, told, answer } = send()
    call.resume()
    call.pause()
    call.resume()
    await answer(new Response('a'))
    expect(told.slice(1)).toEqual([{ chunk: 'a' }, 'end'])
  })
})

const reasonOf = (init: RequestInit): unknown => {
  const reason: unknown = init.signal?.reason
  return reason instanceof DOMException && { name: reason.name, isError: reason instanceof Error }
}

describe('an abort', () => {
  const aborted = { name: 'AbortError', isError: true }
  test('before the answer closes the connection with a real error, and nothing is told', async () => {
    const { call, told, init } = send()
    call.abort()
    await settled()
    expect({ told, reason: reasonOf(init) }).toEqual({ told: [], reason: aborted })
  })

  test('that the answer overtakes tells nothing of that answer', async () => {
    const { call, told, answer } = send()
    const answering = answer(new Response('late'))
    call.abort()
    await answering
    expect(told).toEqual([])
  })

  test('in the body tells nothing more, whatever still comes', async () => {
    const { call, told, answer, init } = send()
    const { body, write } = openBody()
    await answer(new Response(body))
    await write('one')
    call.abort()
    await write('two')
    expect({ told: told.slice(1), reason: reasonOf(init) }).toEqual({
      told: [{ chunk: 'one' }],
      reason: aborted,
    })
  })

  test('in a pause tells nothing more', async () => {
    const { call, told, answer } = send()
    const { body, write } = openBody()
    await answer(new Response(body))
    call.pause()
    await write('one')
    call.abort()
    await write('two')
    expect(told.slice(1)).toEqual([{ chunk: 'one' }])
  })

  test('of a body that fails because of it is no failure', async () => {
    const { call, told, answer } = send()
    const { body, controller } = openBody()
    await answer(new Response(body))
    call.abort()
    controller.error(new TypeError('terminated'))
    await settled()
    expect(told.slice(1)).toEqual([])
  })

  test('after the end is too late to close anything', async () => {
    const { call, told, answer, init } = send()
    await answer(new Response('a'))
    call.abort()
    call.abort()
    expect({ told: told.slice(1), aborted: init.signal?.aborted }).toEqual({
      told: [{ chunk: 'a' }, 'end'],
      aborted: false,
    })
  })
})

describe('a failure', () => {
  test.each([
    [
      'Node: refused',
      new TypeError('fetch failed', {
        cause: failing('connect ECONNREFUSED 127.0.0.1:8080', 'ECONNREFUSED'),
      }),
    ],
    [
      'Node: unknown host',
      new TypeError('fetch failed', { cause: failing('getaddrinfo ENOTFOUND x', 'ENOTFOUND') }),
    ],
    [
      'Node: slow DNS',
      new TypeError('fetch failed', { cause: failing('getaddrinfo EAI_AGAIN x', 'EAI_AGAIN') }),
    ],
    [
      'Node: connect timeout',
      new TypeError('fetch failed', {
        cause: failing('Connect Timeout Error', 'UND_ERR_CONNECT_TIMEOUT'),
      }),
    ],
    [
      'Node: no route',
      new TypeError('fetch failed', { cause: failing('connect EHOSTUNREACH', 'EHOSTUNREACH') }),
    ],
    [
      'Node: no network',
      new TypeError('fetch failed', { cause: failing('connect ENETUNREACH', 'ENETUNREACH') }),
    ],
    [
      'Bun: refused',
      failing('Unable to connect. Is the computer able to access the url?', 'ConnectionRefused'),
    ],
    ['Bun: no socket', failing('Was there a typo in the url or port?', 'FailedToOpenSocket')],
    ['workerd: unknown host', new Error('internal error; reference = abc')],
  ])('%s means that upstream is unreachable', async (_, error) => {
    const { told, fail } = send()
    await fail(error)
    expect(told).toEqual([{ failure: 'unreachable' }])
  })

  test.each([
    [
      'Node: reset',
      new TypeError('fetch failed', { cause: failing('read ECONNRESET', 'ECONNRESET') }),
    ],
    [
      'Node: closed',
      new TypeError('fetch failed', { cause: failing('other side closed', 'UND_ERR_SOCKET') }),
    ],
    ['Bun: reset', failing('The socket connection was closed unexpectedly.', 'ECONNRESET')],
    ['workerd: lost', new Error('Network connection lost.')],
    ['no error at all', 'aborted'],
    ['a cause that is no error', new TypeError('fetch failed', { cause: 'ECONNREFUSED' })],
  ])('%s means that the connection broke', async (_, error) => {
    const { told, fail } = send()
    await fail(error)
    expect(told).toEqual([{ failure: 'reset' }])
  })

  test('in the body means that the connection broke, whatever it is called', async () => {
    const { told, answer } = send()
    const { body, controller, write } = openBody()
    await answer(new Response(body))
    await write('one')
    controller.error(failing('connect ECONNREFUSED', 'ECONNREFUSED'))
    await settled()
    expect(told.slice(1)).toEqual([{ chunk: 'one' }, { failure: 'reset' }])
  })

  test('is an interim answer that a runtime takes for the final one: the real one never comes', async () => {
    const { told, answer, init } = send()
    const interim = new Response('', { headers: { link: '</style.css>' } })
    Object.defineProperty(interim, 'status', { value: 103 })
    await answer(interim)
    expect({ told, aborted: init.signal?.aborted }).toEqual({
      told: [{ failure: 'reset' }],
      aborted: true,
    })
  })

  test('of a fetch that throws at once is told like any other', async () => {
    const told: string[] = []
    const upstream = createFetchUpstream('http://upstream.test', () => {
      throw new TypeError('invalid header')
    })
    upstream.send(GET, {
      head: () => void told.push('head'),
      chunk: () => void told.push('chunk'),
      end: () => void told.push('end'),
      failure: (failure) => void told.push(failure),
    })
    await settled()
    expect(told).toEqual(['reset'])
  })
})

test.each(['head', 'chunk', 'end'] as const)(
  'a bug in what is done with the %s is told as one, and ends the exchange once',
  async (event) => {
    const bugs: unknown[] = []
    const told: string[] = []
    const upstream = createFetchUpstream(
      'http://upstream.test',
      async () => new Response('a'),
      (error) => bugs.push(error),
    )
    const bug = new Error('a bug')
    const tell = (name: string): void => {
      told.push(name)
      if (name === event) throw bug
    }
    upstream.send(GET, {
      head: () => tell('head'),
      chunk: () => tell('chunk'),
      end: () => tell('end'),
      failure: (failure) => tell(failure),
    })
    await settled()
    const before = ['head', 'chunk', 'end']
    expect({ bugs, told }).toEqual({
      bugs: [bug],
      told: [...before.slice(0, before.indexOf(event) + 1), 'reset'],
    })
  },
)
