import { joinBytes } from '../body/join-bytes.ts'
import type { HeaderPairs } from '../deps.ts'
import { repairErrorFrames } from '../dialects/anthropic.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { voiceOf } from '../dialects/dialect-of.ts'
import { endingOf, hasErrorFrame, type StreamFormat } from '../dialects/stream-format.ts'
import type { Meter } from '../usage/meter.ts'
import { isEventStream, isJsonOfUnknownLength } from './answer-head.ts'
import { FrameBuffer } from './frame-buffer.ts'

/** What a body of upstream's answer can do to the client's end. */
export type BodySink = {
  write(bytes: Uint8Array): void
  /** The same for heartbeats of a gate behind this one: they are passed on, but are no part of an answer. */
  pulse(bytes: Uint8Array): void
  /** The answer is whole; `failed` when it says itself that upstream failed. */
  finish(result: 'whole' | 'failed'): void
  /** The answer is not whole: tell the client so, in the stream where that is possible. */
  cut(): void
  /** The answer broke off and its last frame says so: only the connection still has to. */
  broke(): void
}

/** Takes a body as it arrives and decides, at its end, whether it was whole. */
export type AnswerBody = {
  chunk(bytes: Uint8Array): void
  /** Upstream ended the body in an orderly way. */
  end(): void
  /** The connection to upstream broke. */
  broken(): void
}

const BLANK = 0x20
/** What ends the JSON value that begins with a byte: } for {, ] for [. */
const CLOSING: Record<number, number> = { 0x7b: 0x7d, 0x5b: 0x5d }

/**
 * A body that is not an event stream. llama-swap ends an answer whose model died as if it were finished, so JSON of
 * unknown length that begins as an object or a list counts as whole only when it ends as one.
 */
export function plainBody(sink: BodySink, meter: Meter, mustEndLikeJson: boolean): AnswerBody {
  let firstInk: number | undefined
  let lastInk: number | undefined
  return {
    chunk(bytes) {
      if (mustEndLikeJson) {
        firstInk ??= bytes.find((byte) => byte > BLANK)
        lastInk = bytes.findLast((byte) => byte > BLANK) ?? lastInk
      }
      meter.piece(bytes)
      sink.write(bytes)
    },
    end() {
      const closing = firstInk === undefined ? undefined : CLOSING[firstInk]
      // Nothing at all was cut before its first byte; a bare word such as null cannot show its end.
      const whole = firstInk !== undefined && (closing === undefined || closing === lastInk)
      if (!mustEndLikeJson || whole) sink.finish('whole')
      else sink.cut()
    },
    broken: () => sink.cut(),
  }
}

/** A body without content: HEAD, 204, 304 (RFC 9110 §6.4.1). */
export function emptyBody(sink: BodySink): AnswerBody {
  return { chunk() {}, end: () => sink.finish('whole'), broken: () => sink.finish('whole') }
}

/** Bytes of the stream's end that are looked at for its terminator: a usage frame may stand behind the last choice. */
const TAIL_BYTES = 8192

/** Readers drop a last frame without its blank line (HTML §9.2.6): it was cut, even where it names a terminator. */
const NEEDS_NO_BLANK_LINE = /^(?:data: ?\[DONE\])?[\r\n]*$/
const NOTHING = new Uint8Array()

/** How the frames of a stream are to be read. */
export type StreamKind = { format: StreamFormat | undefined; dialect: Dialect }

/**
 * An event stream, passed on in whole frames. Its end is checked for the terminator of its format; formats that are not
 * known are believed.
 */
export function eventStreamBody(
  sink: BodySink,
  meter: Meter,
  { format, dialect }: StreamKind,
): AnswerBody {
  const frames = new FrameBuffer()
  // References to the last chunks only: a look at their text costs nothing until the stream ends.
  let tail: Uint8Array[] = []
  let tailBytes = 0

  const pass = (whole: Uint8Array): void => {
    const bytes = meter.frames(whole)
    if (bytes.length === 0) return
    if (isHeartbeat(bytes, dialect)) return sink.pulse(bytes)
    tail.push(bytes)
    tailBytes += bytes.length
    while (tailBytes - tail[0]!.length >= TAIL_BYTES) tailBytes -= tail.shift()!.length
    sink.write(dialect === 'anthropic' ? repaired(bytes) : bytes)
  }
  const endWith = (rest: Uint8Array, isBroken: boolean): void => {
    const last = format === undefined || NEEDS_NO_BLANK_LINE.test(textOf([rest])) ? rest : NOTHING
    const ending = format ? endingOf(format, textOf([...tail, last])) : 'finished'
    tail = []
    if (ending === 'cut') return sink.cut()
    if (isBroken && ending === 'failed') return sink.broke()
    if (last.length > 0) sink.write(last)
    sink.finish(ending === 'finished' ? 'whole' : 'failed')
  }
  return {
    chunk(bytes) {
      const whole = frames.push(bytes)
      if (whole) pass(whole)
    },
    end: () => endWith(frames.rest(), false),
    broken() {
      if (format !== undefined) endWith(NOTHING, true)
      // Who broke it has said so.
      else if (hasErrorFrame(textOf(tail))) sink.broke()
      else sink.cut()
    },
  }
}

/** What the head of an answer says of its body; `stream` is how it is to be read where it is a stream. */
export type HeadOfBody = { headers: HeaderPairs; isEmpty: boolean; stream: StreamKind }

/** The body of an answer that is no error. */
export function bodyOfAnswer(
  sink: BodySink,
  meter: Meter,
  { headers, isEmpty, stream }: HeadOfBody,
): AnswerBody {
  if (isEmpty) return emptyBody(sink)
  if (isEventStream(headers)) return eventStreamBody(sink, meter, stream)
  return plainBody(sink, meter, isJsonOfUnknownLength(headers))
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

function textOf(pieces: Uint8Array[]): string {
  return pieces.map((piece) => decoder.decode(piece)).join('')
}

const HEARTBEATS = {
  openai: encoder.encode(voiceOf('openai').heartbeat),
  anthropic: encoder.encode(voiceOf('anthropic').heartbeat),
}

/** Nothing but heartbeats as a gate writes them. */
function isHeartbeat(frames: Uint8Array, dialect: Dialect): boolean {
  const beat = HEARTBEATS[dialect]
  const isWhole = frames.length % beat.length === 0
  return isWhole && frames.every((byte, at) => byte === beat[at % beat.length])
}

function repaired(frames: Uint8Array): Uint8Array {
  const text = decoder.decode(frames)
  const mended = repairErrorFrames(text)
  return mended === text ? frames : encoder.encode(mended)
}

/** The most of an error answer that is read; more than any of upstream's errors, less than a page of HTML. */
const MOST_ERROR_BYTES = 256 * 1024

/** An error answer, collected whole so that it can be read; what is longer is read as far as it was kept. */
export function collectedBody(done: (body: Uint8Array | 'broken') => void): AnswerBody {
  const pieces: Uint8Array[] = []
  let bytes = 0
  let isDone = false
  const once = (body: Uint8Array | 'broken'): void => {
    if (isDone) return
    isDone = true
    done(body)
  }
  return {
    chunk(piece) {
      if (isDone) return
      bytes += piece.length
      pieces.push(piece)
      if (bytes > MOST_ERROR_BYTES) once(joinBytes(pieces))
    },
    end: () => once(joinBytes(pieces)),
    broken: () => once('broken'),
  }
}
