import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dialect } from '../../../src/dialects/dialect.ts'
import { dialectOf } from '../../../src/dialects/dialect-of.ts'
import type { StreamFormat } from '../../../src/dialects/stream-format.ts'
import {
  collectedBody,
  emptyBody,
  eventStreamBody,
  plainBody,
  type AnswerBody,
  type BodySink,
} from '../../../src/proxy/answer-body.ts'
import { findRoute } from '../../../src/routes/find-route.ts'
import { NO_METER } from '../../../src/usage/no-meter.ts'
import { MESSAGES, splitAtEvery, STREAM_SAMPLES } from '../../support/sse-samples.ts'

const encoder = new TextEncoder()

type Heard = { text: string; ended: Array<'whole' | 'failed' | 'cut' | 'broke'> }

/** A sink that writes down what it is told. */
function recording(): { sink: BodySink; heard: () => Heard } {
  const written: Uint8Array[] = []
  const ended: Heard['ended'] = []
  return {
    sink: {
      write: (bytes) => void written.push(bytes),
      pulse: (bytes) => void written.push(bytes),
      finish: (result) => void ended.push(result),
      cut: () => void ended.push('cut'),
      broke: () => void ended.push('broke'),
    },
    heard: () => ({ text: Buffer.concat(written).toString(), ended }),
  }
}

/** What a sink hears of a body that comes in these pieces and ends like this. */
function hear(
  open: (sink: BodySink) => AnswerBody,
  pieces: ReadonlyArray<string | Uint8Array>,
  end: 'end' | 'broken' = 'end',
): Heard {
  const { sink, heard } = recording()
  const body = open(sink)
  for (const piece of pieces) body.chunk(typeof piece === 'string' ? encoder.encode(piece) : piece)
  body[end]()
  return heard()
}

const stream =
  (format: StreamFormat | undefined, dialect: Dialect = 'openai') =>
  (sink: BodySink): AnswerBody =>
    eventStreamBody(sink, NO_METER, { format, dialect })

const plain = (sink: BodySink): AnswerBody => plainBody(sink, NO_METER, false)
const json = (sink: BodySink): AnswerBody => plainBody(sink, NO_METER, true)

describe('a body that is not an event stream', () => {
  test('is passed on piece by piece and is whole when upstream says so', () => {
    expect(hear(plain, ['a', '', 'b'])).toEqual({ text: 'ab', ended: ['whole'] })
  })

  test('is cut when the connection breaks', () => {
    expect(hear(plain, ['a'], 'broken')).toEqual({ text: 'a', ended: ['cut'] })
  })

  test.each([
    [['{"a":1}'], 'whole'],
    [['[1]'], 'whole'],
    [['{"a":1}\r\n \t'], 'whole'],
    [['{"a":1', '}', '\n', ' ', ''], 'whole'],
    [['{"a":"}'], 'whole'],
    [['{"a":1'], 'cut'],
    [['{"a":1', ' \n'], 'cut'],
    [['{"a":"b"'], 'cut'],
    [['{"a":[1,'], 'cut'],
    [[' \n'], 'cut'],
    [[], 'cut'],
  ] as const)('of JSON without a length, %j, is %s', (pieces, ended) => {
    expect(hear(json, pieces)).toEqual({ text: pieces.join(''), ended: [ended] })
  })

  test('of JSON that ends well is cut all the same when the connection breaks', () => {
    expect(hear(json, ['{}'], 'broken')).toEqual({ text: '{}', ended: ['cut'] })
  })
})

describe('a body without content', () => {
  test.each(['end', 'broken'] as const)(
    'is whole after %s, and nothing of it is passed on',
    (end) => {
      expect(hear(emptyBody, ['stray'], end)).toEqual({ text: '', ended: ['whole'] })
    },
  )
})

describe.each(STREAM_SAMPLES)('the stream "$name"', ({ path, text, bytes }) => {
  const found = findRoute('POST', path)
  const format = found.found === 'route' ? found.route.stream : undefined
  const open = stream(format, dialectOf(path))
  const frames = text.match(/[^]*?\n\r?\n/g)!.map((frame) => encoder.encode(frame))
  const ends = frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length)
  const terminator = frames.findIndex((frame) =>
    /data: \[DONE\]|"finish_reason":"|"type":"message_stop"|"type":"response.completed"|"stop":true/.test(
      Buffer.from(frame).toString(),
    ),
  )
  /** From here on the last frames say that the answer is finished. */
  const finishedAt = ends[terminator]!
  const terminatorAt = ends[terminator - 1]!
  const wholeFrames = (length: number): string =>
    Buffer.from(bytes.subarray(0, ends.findLast((end) => end <= length) ?? 0)).toString()

  test('passes unchanged and is whole, cut in two at every byte', () => {
    for (const pieces of splitAtEvery(bytes))
      expect(hear(open, pieces)).toEqual({ text, ended: ['whole'] })
  })

  test('passes unchanged and is whole, byte by byte', () => {
    const pieces = Array.from(bytes, (byte) => new Uint8Array([byte]))
    expect(hear(open, pieces)).toEqual({ text, ended: ['whole'] })
  })

  test('that breaks at any byte shows whole frames only, and is whole from its terminator on', () => {
    for (const [head] of splitAtEvery(bytes))
      expect(hear(open, [head], 'broken')).toEqual({
        text: wholeFrames(head.length),
        ended: [head.length >= finishedAt ? 'whole' : 'cut'],
      })
  })

  test('that ends before its terminator at any byte shows whole frames only and is cut', () => {
    for (const [head] of splitAtEvery(bytes.subarray(0, terminatorAt + 1)))
      expect(hear(open, [head])).toEqual({ text: wholeFrames(head.length), ended: ['cut'] })
  })

  test('that ends behind its terminator at any byte is whole, and half a last frame is left out', () => {
    for (const [head] of splitAtEvery(bytes)) {
      if (head.length < finishedAt) continue
      const shown = wholeFrames(head.length)
      const rest = Buffer.from(head).subarray(Buffer.byteLength(shown)).toString()
      expect(hear(open, [head])).toEqual({
        text: /^(?:data: \[DONE\])?[\r\n]*$/.test(rest) ? shown + rest : shown,
        ended: ['whole'],
      })
    }
  })
})

describe('an event stream', () => {
  const FRAME = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'
  const FINISH = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'

  test('without anything in it is cut', () => {
    expect(hear(stream('chat'), [])).toEqual({ text: '', ended: ['cut'] })
  })

  test('of comments only is cut', () => {
    expect(hear(stream('chat'), [':\n\n', ': keep-alive\n\n'])).toEqual({
      text: ':\n\n: keep-alive\n\n',
      ended: ['cut'],
    })
  })

  test.each(['data: [DONE]\n', 'data: [DONE]', 'data:[DONE]\r\n', '\n', '\r\n'])(
    'whose last frame is %j without its blank line is whole: no reader waits for it',
    (last) => {
      expect(hear(stream('chat'), [FRAME + FINISH, last])).toEqual({
        text: FRAME + FINISH + last,
        ended: ['whole'],
      })
    },
  )

  test.each([
    ['the finish', FINISH.slice(0, -1)],
    ['half of it', FINISH.slice(0, -5)],
    ['half of [DONE]', 'data: [DO'],
    ['an error', 'data: {"error":{"message":"m"}}\n'],
  ])('is cut when its last frame, %s, lacks its blank line: readers drop it', (_, last) => {
    expect(hear(stream('chat'), [FRAME, last])).toEqual({ text: FRAME, ended: ['cut'] })
  })

  test('that a model talks into ending is not ended: text inside JSON is escaped', () => {
    const said = JSON.stringify('data: [DONE]\n\n{"finish_reason":"stop"}')
    const frame = `data: {"choices":[{"delta":{"content":${said}},"finish_reason":null}]}\n\n`
    expect(hear(stream('chat'), [frame])).toEqual({ text: frame, ended: ['cut'] })
  })

  test('of a format that is not known is believed', () => {
    expect(hear(stream(undefined), ['data: a\n\nda'])).toEqual({
      text: 'data: a\n\nda',
      ended: ['whole'],
    })
  })

  test('of a format that is not known is cut when the connection breaks', () => {
    expect(hear(stream(undefined), ['data: a\n\nda'], 'broken')).toEqual({
      text: 'data: a\n\n',
      ended: ['cut'],
    })
  })

  test.each([
    ['one frame of 8100 bytes', [`:${'x'.repeat(8098)}\n\n`]],
    ['many frames', Array.from({ length: 500 }, () => ': keep-alive\n\n')],
  ])('is whole when %s stand behind the last choice', (_, behind) => {
    expect(hear(stream('chat'), [FRAME, FINISH, ...behind]).ended).toEqual(['whole'])
  })

  test('is whole when everything comes in one large chunk', () => {
    const usage = `data: {"choices":[],"usage":{"x":"${'y'.repeat(20_000)}"}}\n\n`
    expect(hear(stream('chat'), [FRAME + FINISH + usage]).ended).toEqual(['whole'])
  })

  test.each([
    [
      'chat',
      'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n',
    ],
    ['responses', 'data: {"error":{"code":500,"message":"m","type":"server_error"}}\n\n'],
    ['native', 'data: {"error":{"code":500,"message":"m","type":"server_error"}}\n\n'],
    [
      'messages',
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"m"}}\n\n',
    ],
  ] as const)(
    'of %s that ends with an error frame has failed, and breaks where upstream did',
    (format, frame) => {
      expect({
        ended: hear(stream(format), [': x\n\n', frame]),
        broken: hear(stream(format), [': x\n\n', frame], 'broken'),
      }).toEqual({
        ended: { text: `: x\n\n${frame}`, ended: ['failed'] },
        broken: { text: `: x\n\n${frame}`, ended: ['broke'] },
      })
    },
  )

  test('that goes on to its terminator after an error frame is whole', () => {
    const text = `data: {"error":{"message":"m"}}\n\n${FRAME}data: [DONE]\n\n`
    expect(hear(stream('chat'), [text])).toEqual({ text, ended: ['whole'] })
  })

  test('passes any bytes on in order and ends once, however they are cut', () => {
    const bytes = fc.uint8Array({ maxLength: 30 })
    const piece = fc.oneof(
      bytes,
      fc.constantFrom('\n\n', '\r\n\r\n', FRAME, FINISH).map((text) => encoder.encode(text)),
    )
    fc.assert(
      fc.property(fc.array(piece), fc.constantFrom('end', 'broken'), (pieces, end) => {
        const written: Uint8Array[] = []
        const ended: string[] = []
        const body = eventStreamBody(
          {
            write: (part) => void written.push(part),
            pulse: (part) => void written.push(part),
            finish: (result) => void ended.push(result),
            cut: () => void ended.push('cut'),
            broke: () => void ended.push('broke'),
          },
          NO_METER,
          { format: 'chat', dialect: 'openai' },
        )
        for (const one of pieces) body.chunk(one)
        body[end]()

        const given = Buffer.concat(pieces)
        const passed = Buffer.concat(written)
        expect(passed.equals(given.subarray(0, passed.length))).toBe(true)
        expect(ended.length).toBe(1)
      }),
    )
  })
})

describe('a bare error frame of llama-server in a messages stream', () => {
  const bare =
    'event: error\ndata: {"code":500,"message":"Context size has been exceeded.","type":"server_error"}\n\n'
  const repaired =
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Context size has been exceeded."}}\n\n'
  const start = MESSAGES.text.slice(0, MESSAGES.text.indexOf('event: content_block_stop'))
  const open = stream('messages', 'anthropic')

  test('is put into the shape that clients read, wherever the stream is cut', () => {
    for (const pieces of splitAtEvery(encoder.encode(start + bare)))
      expect(hear(open, pieces)).toEqual({ text: start + repaired, ended: ['failed'] })
  })

  test('is left alone in a stream for OpenAI clients', () => {
    expect(hear(stream('responses', 'openai'), [bare]).text).toBe(bare)
  })

  test('changes nothing around it, not even bytes that are no text', () => {
    const odd = new Uint8Array([0x3a, 0xff, 0xfe, 0x0a, 0x0a])
    const { sink } = recording()
    const written: Uint8Array[] = []
    const body = open({ ...sink, write: (bytes) => void written.push(bytes) })
    body.chunk(odd)
    body.chunk(encoder.encode(bare))
    expect(written).toEqual([odd, encoder.encode(repaired)])
  })
})

function collect(pieces: Uint8Array[], end: 'end' | 'broken'): Array<Uint8Array | 'broken'> {
  const got: Array<Uint8Array | 'broken'> = []
  const body = collectedBody((whole) => void got.push(whole))
  for (const piece of pieces) body.chunk(piece)
  body[end]()
  return got
}

describe('an error answer that is read whole', () => {
  test('is given when it has ended', () => {
    expect(collect([encoder.encode('{"a"'), encoder.encode(':1}')], 'end')).toEqual([
      encoder.encode('{"a":1}'),
    ])
  })

  test('is empty when nothing came', () => {
    expect(collect([], 'end')).toEqual([new Uint8Array()])
  })

  test('is broken when the connection broke', () => {
    expect(collect([encoder.encode('{"a"')], 'broken')).toEqual(['broken'])
  })

  test('is not waited for any longer once it is over 256 KiB', () => {
    const piece = new Uint8Array(64 * 1024).fill(32)
    const told = collect(
      Array.from({ length: 20 }, () => piece),
      'end',
    )
    expect(told.map((body) => body.length)).toEqual([5 * 64 * 1024])
  })
})
