import { describe, expect, test } from 'vitest'
import type { ClientEnd } from '../../../src/deps.ts'
import { openResponseClient } from '../../../src/proxy/response-client.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

type Opened = {
  client: ClientEnd
  response: Promise<Response>
  controller: AbortController
  clock: FakeClock
  /** What the client's end told, in order. */
  told: string[]
  /** What the runtime was told of the end of the answer. */
  over: string[]
}

function open(controller = new AbortController()): Opened {
  const clock = fakeClock()
  const over: string[] = []
  const { client, response } = openResponseClient(controller.signal, clock, (how) => over.push(how))
  const told: string[] = []
  client.listen({ drained: () => void told.push('drained'), gone: () => void told.push('gone') })
  return { client, response, controller, clock, told, over }
}

/** An answer that has begun, with a reader at its other end. */
async function answering(): Promise<Opened & { reader: ReadableStreamDefaultReader<Uint8Array> }> {
  const opened = open()
  opened.client.head(200, [])
  const { body } = await opened.response
  const reader = body!.getReader()
  await settled()
  opened.told.length = 0
  return { ...opened, reader }
}

/** Promises that are settled now have been acted on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What one read gives, as text. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  try {
    const { done, value } = await reader.read()
    return done ? '(end)' : new TextDecoder().decode(value)
  } catch {
    return '(broken)'
  }
}

describe('the head', () => {
  test('is the response, with every field of it', async () => {
    const { client, response } = open()
    client.head(201, [
      ['content-type', 'text/plain'],
      ['vary', 'Origin'],
      ['vary', 'Accept'],
    ])
    const { status, headers } = await response
    expect({ status, headers: [...headers] }).toEqual({
      status: 201,
      headers: [
        ['content-type', 'text/plain'],
        ['vary', 'Origin, Accept'],
      ],
    })
  })

  test('is there before any byte of the body', async () => {
    const { client, response } = open()
    client.head(200, [])
    expect((await response).status).toBe(200)
  })

  test.each([204, 304])(
    '%i comes without a body, and nothing can be written into it',
    async (status) => {
      const { client, response } = open()
      client.head(status, [])
      expect(client.write(bytes('x'))).toBe(true)
      client.end()
      const answer = await response
      expect({ status: answer.status, body: answer.body }).toEqual({ status, body: null })
    },
  )
})

test('a 205 is sent as 204, because not every runtime ends it', async () => {
  const { client, response } = open()
  client.head(205, [])
  client.end()
  const { status, body } = await response
  expect({ status, body }).toEqual({ status: 204, body: null })
})

describe('a head that the runtime refuses', () => {
  test.each([
    ['an odd status', 600, 'text/plain'],
    ['a field that cannot be', 200, 'a\nb'],
  ])(
    'because of %s is an empty 502 instead of a request without an answer',
    async (_, status, type) => {
      const { client, response, clock } = open()
      client.head(status, [
        ['content-type', type],
        ['x-request-id', 'a'],
      ])
      expect(client.write(bytes('x'))).toBe(true)
      client.end()
      client.break()
      const answer = await response
      expect({ status: answer.status, body: answer.body, pending: clock.pending() }).toEqual({
        status: 502,
        body: null,
        pending: 0,
      })
    },
  )
})

describe('the body', () => {
  test('is read in order, to its end', async () => {
    const { client, reader } = await answering()
    client.write(bytes('one'))
    client.write(bytes('two'))
    client.end()
    expect([await read(reader), await read(reader), await read(reader)]).toEqual([
      'one',
      'two',
      '(end)',
    ])
  })

  test('is held back when the client does not read, and goes on when it has', async () => {
    const { client, reader, told } = await answering()

    expect(client.write(bytes('one'))).toBe(false)
    await settled()
    expect(told).toEqual([])
    expect(await read(reader)).toBe('one')
    await settled()

    expect(told).toEqual(['drained'])
  })

  test('is not held back while the client waits for it', async () => {
    const { client, reader } = await answering()
    const reading = read(reader)
    expect(client.write(bytes('one'))).toBe(true)
    expect(await reading).toBe('one')
  })

  test('never holds more than the piece that is being read and the next, if the writer keeps to the rules', async () => {
    const opened = open()
    const pieces = Array.from({ length: 100 }, (_, i) => String(i))
    let held = 0
    let mostHeld = 0
    const write = (): void => {
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
        mostHeld = Math.max(mostHeld, ++held)
        if (!opened.client.write(bytes(piece))) return
      }
      opened.client.end()
    }
    opened.client.listen({ drained: write, gone() {} })
    opened.client.head(200, [])
    const { body } = await opened.response
    const got: string[] = []
    for await (const piece of body!) {
      held--
      got.push(new TextDecoder().decode(piece))
      await settled()
    }
    expect({ got, mostHeld }).toEqual({
      got: Array.from({ length: 100 }, (_, i) => String(i)),
      mostHeld: 2,
    })
  })
})

describe('a client that leaves', () => {
  test('by cancelling is told once, and what is written afterwards goes nowhere', async () => {
    const { client, reader, told, controller, clock } = await answering()
    await reader.cancel()
    controller.abort()
    await settled()

    expect(told).toEqual(['gone'])
    client.break()
    expect(client.write(bytes('x'))).toBe(true)
    client.end()
    await settled()
    expect({ told, pending: clock.pending() }).toEqual({ told: ['gone'], pending: 0 })
  })

  test('by its signal is told once', async () => {
    const { told, controller, reader } = await answering()
    controller.abort()
    await reader.cancel()
    await settled()
    expect(told).toEqual(['gone'])
  })

  test('before there is an answer is told', async () => {
    const { told, controller } = open()
    controller.abort()
    await settled()
    expect(told).toEqual(['gone'])
  })

  test('before anybody listens is told, but not within listen', async () => {
    const controller = new AbortController()
    controller.abort()
    const { told } = open(controller)
    expect(told).toEqual([])
    await settled()
    expect(told).toEqual(['gone'])
  })

  test('is known to be gone from then on', async () => {
    const { client, controller } = open()
    expect(client.isGone).toBe(false)
    controller.abort()
    expect(client.isGone).toBe(true)
  })

  test('by cancelling is known to be gone, too', async () => {
    const { client, reader } = await answering()
    await reader.cancel()
    expect(client.isGone).toBe(true)
  })

  test('is not given an error: the runtime ends the body itself', async () => {
    const { client, controller, clock, reader } = await answering()
    controller.abort()
    client.break()
    await clock.advance(1_000)
    const reading = read(reader)
    expect(await Promise.race([reading, settled().then(() => 'nothing')])).toBe('nothing')
  })

  test.each(['end', 'break'] as const)('after %s is no news', async (ending) => {
    const { client, told, controller, reader } = await answering()
    client[ending]()
    controller.abort()
    await reader.cancel().catch(() => {})
    await settled()
    expect(told.filter((event) => event === 'gone')).toEqual([])
  })
})

describe('an answer that breaks', () => {
  test('shows what was written, and then fails', async () => {
    const { client, reader, clock } = await answering()
    client.write(bytes('one'))
    client.write(bytes('error frame'))
    client.break()

    await clock.advance(4_000)
    const seen = [await read(reader), await read(reader)]
    const last = read(reader)
    await clock.advance(20)

    expect([...seen, await last]).toEqual(['one', 'error frame', '(broken)'])
    expect(clock.pending()).toBe(0)
  })

  test('with nothing left to read leaves the runtime 20 ms to send what it has taken', async () => {
    const { client, reader, clock } = await answering()
    const first = read(reader)
    client.write(bytes('one'))
    client.break()
    expect(await first).toBe('one')

    let last = 'nothing'
    void read(reader).then((seen) => (last = seen))
    await clock.advance(19)
    expect(last).toBe('nothing')
    await clock.advance(1)
    await settled()

    expect({ last, pending: clock.pending() }).toEqual({ last: '(broken)', pending: 0 })
  })

  test('that nobody reads any more fails after 5 s all the same', async () => {
    const { client, reader, clock } = await answering()
    client.write(bytes('one'))
    client.write(bytes('error frame'))
    client.break()
    await clock.advance(5_000)
    expect({ seen: await read(reader), pending: clock.pending() }).toEqual({
      seen: '(broken)',
      pending: 0,
    })
  })

  test('whose client leaves then is left to the runtime', async () => {
    const { client, reader, clock } = await answering()
    client.write(bytes('one'))
    client.break()
    await reader.cancel()
    await clock.advance(5_000)
    expect(clock.pending()).toBe(0)
  })

  test('before it began is a 503, so that no handler waits for ever', async () => {
    const { client, response } = open()
    client.break()
    expect((await response).status).toBe(503)
  })

  test('is over: no end, no second break and no byte change it', async () => {
    const { client, reader, clock } = await answering()
    client.write(bytes('one'))
    client.break()
    client.end()
    client.break()
    client.write(bytes('two'))

    const seen = [await read(reader)]
    await clock.advance(20)

    expect([...seen, await read(reader)]).toEqual(['one', '(broken)'])
  })

  test('cannot break once it has ended', async () => {
    const { client, reader, clock } = await answering()
    client.end()
    client.break()
    await clock.advance(1_000)
    expect(await read(reader)).toBe('(end)')
  })
})

describe('the runtime is told once', () => {
  test.each([
    ['end', 'whole'],
    ['break', 'broken'],
  ] as const)('by %s that an answer is %s', async (ending, how) => {
    const { client, over } = await answering()
    client.write(bytes('one'))
    expect(over).toEqual([])
    client[ending]()
    client.end()
    client.break()
    expect(over).toEqual([how])
  })

  test('with the head that an answer without a body is whole', () => {
    const { client, over } = open()
    client.head(204, [])
    client.end()
    expect(over).toEqual(['whole'])
  })

  test('that a 502 stands for an answer that cannot be', () => {
    const { client, over } = open()
    client.head(600, [])
    client.write(bytes('one'))
    client.end()
    expect(over).toEqual(['whole'])
  })
})
