import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour, Piece } from '../support/look-alike/behaviour.ts'
import { loadFailure, overflowBody } from '../support/look-alike/error-answers.ts'
import { loadingFrames } from '../support/look-alike/loading-frames.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import {
  CHAT,
  CHAT_CRLF,
  CHAT_WITH_TOOL_CALL,
  CHAT_WITH_USAGE,
  COMPLETIONS,
  MESSAGES,
  NATIVE_COMPLETION,
  RESPONSES,
  STREAM_SAMPLES,
  withoutTerminator,
} from '../support/sse-samples.ts'
import { harnesses, ROOMY, KEYS } from './gates.ts'

const MODEL = 'gpt-oss-120b'
const ASK = { model: MODEL, messages: [{ role: 'user', content: 'hi' }], prompt: 'hi' }
const EVENT_STREAM = [['content-type', 'text/event-stream']] as const

/** What the gate says in a stream that broke off, by the dialect of the path. */
const OPENAI_CUT =
  'data: {"error":{"message":"The model server ended the stream before the answer was complete.",' +
  '"type":"server_error","param":null,"code":"stream_interrupted"}}\n\n'
const ANTHROPIC_CUT =
  'event: error\ndata: {"type":"error","error":{"type":"api_error",' +
  '"message":"The model server ended the stream before the answer was complete."}}\n\n'

function cutFrameFor(path: string): string {
  return path.includes('/messages') ? ANTHROPIC_CUT : OPENAI_CUT
}

/** One stream of each format, and one with other line ends. */
const FORMATS = [CHAT, CHAT_CRLF, COMPLETIONS, RESPONSES, MESSAGES, NATIVE_COMPLETION]

/** The paths of the streamed routes, the ones without a version too. */
const PATHS = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/completion',
  '/infill',
  '/v/chat/completions',
  '/v/completions',
  '/v/responses',
  '/v/messages',
]

/** A stream asks for usage by itself, so that its answer is that of upstream. */
function request(path: string, stream = true): Buffer {
  const options = stream ? { stream_options: { include_usage: true } } : {}
  return rawJsonPost(path, { ...ASK, stream, ...options }, { 'x-api-key': KEYS.user })
}

type Ending = 'clean' | 'fin' | 'reset'

/** The ways in which upstream stops in the middle. */
const BREAKS: { how: string; ending: Ending }[] = [
  { how: 'ended as if it were whole', ending: 'clean' },
  { how: 'closed (FIN)', ending: 'fin' },
  { how: 'reset (RST)', ending: 'reset' },
]

/** Keeps a broken connection from overtaking its bytes: a reset throws away what the gate has not read yet. */
const WAITS: Record<Ending, Piece[]> = {
  clean: [],
  fin: [{ bytes: '', afterMs: 40 }],
  reset: [{ bytes: '', afterMs: 120 }],
}

/** An event stream of exactly these bytes. */
function streamOf(bytes: Uint8Array | string, ending: Ending): Behaviour {
  const wait = WAITS[ending]
  return { kind: 'pieces', pieces: [{ bytes }, ...wait], headers: EVENT_STREAM, ending }
}

/** The frames of a stream, each with its blank line. */
function framesOf(text: string): string[] {
  return text.match(/.*?(?:\r\n\r\n|\n\n)/gs) ?? []
}

type Seen = { status: number; body: string; ending: 'complete' | 'broken' }

function seenIn(answer: RawAnswer): Seen {
  const ending = answer.ending === 'complete' ? 'complete' : 'broken'
  return { status: answer.status, body: textOf(answer), ending }
}

function whole(body: string): Seen {
  return { status: 200, body, ending: 'complete' }
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  /** What reaches a client whose connection is broken; the harness says where it cannot see that. */
  function broken(body: string): Seen {
    const isHidden = harness.cannot['broken-connection-visible'] !== undefined
    return { status: 200, body, ending: isHidden ? 'complete' : 'broken' }
  }

  /** What a client gets when upstream behaves so. */
  async function seen(path: string, behaviour: Behaviour, stream = true): Promise<Seen> {
    upstream.behave(behaviour)
    return seenIn(await sendRaw(gate.url, request(path, stream)))
  }

  /** What upstream says to the same call when it behaves. */
  async function usual(path: string, stream = true): Promise<string> {
    return textOf(await sendRaw(upstream.url, request(path, stream)))
  }

  describe.each(BREAKS)('a stream that upstream $how in the middle', ({ ending }) => {
    test.each(FORMATS)(
      'reaches the client as its whole frames, an error frame and a broken connection: $name',
      async ({ path, text }) => {
        const [first = '', second = '', third = ''] = framesOf(text)
        const error = cutFrameFor(path)
        expect([
          await seen(path, streamOf('', ending)),
          await seen(path, streamOf(first + second, ending)),
          await seen(path, streamOf(first + second + third.slice(0, third.length / 2), ending)),
          await seen(path, streamOf(first + second + third.slice(0, -1), ending)),
        ]).toEqual([
          broken(error),
          broken(first + second + error),
          broken(first + second + error),
          broken(first + second + error),
        ])
      },
    )

    test('says so in the middle of a tool call', async () => {
      const sent = framesOf(CHAT_WITH_TOOL_CALL.text).slice(0, 4).join('')
      const { path } = CHAT_WITH_TOOL_CALL
      expect(await seen(path, streamOf(sent, ending))).toEqual(broken(sent + OPENAI_CUT))
    })
  })

  test.each([RESPONSES, MESSAGES, NATIVE_COMPLETION])(
    'a stream that lacks only its terminator is not taken for whole: $name',
    async (sample) => {
      const sent = Buffer.from(withoutTerminator(sample))
      expect(await seen(sample.path, streamOf(sent, 'clean'))).toEqual(
        broken(sent.toString() + cutFrameFor(sample.path)),
      )
    },
  )

  test.each([CHAT, CHAT_WITH_USAGE, COMPLETIONS])(
    'a stream that names its finish_reason and lacks only [DONE] is whole: $name',
    async (sample) => {
      const sent = Buffer.from(withoutTerminator(sample))
      expect(await seen(sample.path, streamOf(sent, 'clean'))).toEqual(whole(sent.toString()))
    },
  )

  test.each(PATHS)('a silent cut on %s is told to the client', async (path) => {
    const frames = framesOf(await usual(path))
    const sent = frames.slice(0, 2).join('')
    expect(await seen(path, { kind: 'cut-mid-stream', frames: 2 })).toEqual(
      broken(sent + cutFrameFor(path)),
    )
  })

  test.each(STREAM_SAMPLES)(
    'a connection that breaks behind the terminator spoils nothing: $name',
    async ({ path, text }) => {
      expect([
        await seen(path, streamOf(text, 'fin')),
        await seen(path, streamOf(text, 'reset')),
      ]).toEqual([whole(text), whole(text)])
    },
  )

  /** A Responses stream whose last frame holds a whole long answer. */
  const LONG_LAST_FRAME = RESPONSES.text.replace(
    /"output_text","annotations":\[\],"logprobs":\[\],"text":"Hello!"\}\]\}\],"usage"/,
    (found) => found.replace('Hello!', 'Hello! '.repeat(50_000)),
  )

  test('a last frame of hundreds of kilobytes is known for the terminator', async () => {
    const sent = streamOf(LONG_LAST_FRAME, 'reset')
    expect(LONG_LAST_FRAME.length).toBeGreaterThan(300_000)
    expect(await seen(RESPONSES.path, sent)).toEqual(whole(LONG_LAST_FRAME))
  })

  test('half of a last frame of hundreds of kilobytes is not delivered', async () => {
    const sent = streamOf(LONG_LAST_FRAME.slice(0, -1), 'clean')
    expect(await seen(RESPONSES.path, sent)).toEqual(
      broken(Buffer.from(withoutTerminator(RESPONSES)).toString() + OPENAI_CUT),
    )
  })

  test('a client that reads late gets everything that came before the cut, and the cut', async () => {
    const frame = framesOf(CHAT.text)[1]!
    const sent = frame.repeat(20_000)
    upstream.behave(streamOf(sent, 'clean'))
    const client = await openRaw(gate.url, request(CHAT.path), { paused: true })
    await upstream.waitFor(({ sentBytes }) => sentBytes > 0)
    setTimeout(() => client.resume(), 300)
    const answer = await client.answer({ withinMs: 40_000 })
    expect(seenIn(answer)).toEqual(broken(sent + OPENAI_CUT))
  })

  describe('an error frame inside a stream that began with 200', () => {
    test.each(PATHS.filter((path) => !path.includes('/messages')))(
      'is passed on as it is on %s, and the stream ends',
      async (path) => {
        const frames = framesOf(await usual(path))
        const error =
          'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n'
        expect([
          await seen(path, { kind: 'error-frame', frames: 0 }),
          await seen(path, { kind: 'error-frame', frames: 2 }),
        ]).toEqual([whole(error), whole(frames.slice(0, 2).join('') + error)])
      },
    )

    test.each(PATHS.filter((path) => path.includes('/messages')))(
      "is brought into Anthropic's shape on %s",
      async (path) => {
        const frames = framesOf(await usual(path))
        const error =
          'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Context size has been exceeded."}}\n\n'
        expect([
          await seen(path, { kind: 'error-frame', frames: 0 }),
          await seen(path, { kind: 'error-frame', frames: 2 }),
        ]).toEqual([whole(error), whole(frames.slice(0, 2).join('') + error)])
      },
    )

    test("in Anthropic's own shape is left alone", async () => {
      const sent =
        framesOf(MESSAGES.text)[0]! +
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
      expect(await seen(MESSAGES.path, streamOf(sent, 'clean'))).toEqual(whole(sent))
    })

    test('that a connection breaks behind stands alone, and the client’s end breaks, too', async () => {
      const sent = `${framesOf(CHAT.text)[0]!}data: {"error":{"code":500,"message":"no","type":"server_error"}}\n\n`
      expect([
        await seen(CHAT.path, streamOf(sent, 'fin')),
        await seen(CHAT.path, streamOf(sent, 'reset')),
      ]).toEqual([broken(sent), broken(sent)])
    })
  })

  describe('sendLoadingState', () => {
    const LOADING = Buffer.concat(loadingFrames(MODEL)).toString()

    test('in front of a whole answer is left alone', async () => {
      const usually = await usual(CHAT.path)
      expect(await seen(CHAT.path, { kind: 'loading-state' })).toEqual(whole(LOADING + usually))
    })

    test.each([
      ['a failed load', String(loadFailure().body)],
      ['an overflow', overflowBody(70_000, 65_536)],
    ])('with %s behind it as raw JSON is no finished answer', async (_what, tail) => {
      expect(await seen(CHAT.path, { kind: 'loading-state', tail })).toEqual(
        broken(LOADING + OPENAI_CUT),
      )
    })
  })

  describe('an answer that is no stream', () => {
    test.each([CHAT.path, MESSAGES.path])(
      'is broken off where its announced length was not reached: %s',
      async (path) => {
        const json = await usual(path, false)
        const half = json.slice(0, 100)
        expect(await seen(path, jsonOf(half, 'fin', json.length), false)).toEqual(broken(half))
      },
    )

    test.each([CHAT.path, MESSAGES.path])(
      'of unknown length is broken off where its JSON is not whole: %s',
      async (path) => {
        const usually = Buffer.from(await usual(path, false))
        const half = usually.subarray(0, Math.ceil(usually.length / 2)).toString()
        expect([
          await seen(path, { kind: 'cut-mid-stream', frames: 1 }, false),
          await seen(path, jsonOf(half, 'reset'), false),
          await seen(path, jsonOf(half, 'fin'), false),
        ]).toEqual([broken(half), broken(half), broken(half)])
      },
    )

    test('of unknown length passes whole', async () => {
      const json = await usual(CHAT.path, false)
      expect(await seen(CHAT.path, jsonOf(`${json}\n`, 'clean'), false)).toEqual(whole(`${json}\n`))
    })

    test('and no JSON is broken off with its connection', async () => {
      const path = '/v1/audio/speech'
      const headers = [['content-type', 'audio/mpeg'] as const]
      const cut = (ending: Ending): Behaviour => {
        return { kind: 'pieces', pieces: [{ bytes: 'sound' }, ...WAITS[ending]], headers, ending }
      }
      expect([await seen(path, cut('fin'), false), await seen(path, cut('reset'), false)]).toEqual([
        broken('sound'),
        broken('sound'),
      ])
    })
  })

  test('the gate has written one line for each request and nothing else', () => {
    const lines = gate.output().trim().split('\n')
    expect(lines.filter((line) => !isExpected(line))).toEqual([])
  })
})

/** JSON, of unknown length unless one is announced. */
function jsonOf(bytes: string, ending: Ending, length?: number): Behaviour {
  const type = ['content-type', 'application/json; charset=utf-8'] as const
  const headers = length === undefined ? [type] : [type, ['content-length', `${length}`] as const]
  const wait = WAITS[ending]
  return { kind: 'pieces', pieces: [{ bytes }, ...wait], headers, ending }
}

/** A line of the log, or of workerd, which tells of every broken body and cannot be asked not to. */
function isExpected(line: string): boolean {
  return /^swapgate listening on |^swapgate: .*config\.yaml is not there|^\{"time":|^workerd\/|^stack: /.test(
    line,
  )
}
