import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import { isEventStream, plain } from './answer.ts'
import type { Behaviour } from './behaviour.ts'
import { UNCLEAN_HEADERS } from './behaviour.ts'
import type { Exchange } from './exchange.ts'
import { compress } from './compress.ts'
import { dataFrame, typedErrorFrame } from './frame.ts'
import { loadingFrames } from './loading-frames.ts'

/** One behaviour about to happen to one exchange. */
export type Performance<B extends Behaviour = Behaviour> = {
  exchange: Exchange
  behaviour: B
  /** What would be answered without the behaviour. */
  usual: Answer
}

type Performer<K extends Behaviour['kind']> = (
  performance: Performance<Extract<Behaviour, { kind: K }>>,
) => void | Promise<void>

const FLOOD_PIECE_BYTES = 64 * 1024

/** Every behaviour by its kind. */
const PERFORMERS: { [K in Behaviour['kind']]: Performer<K> } = {
  async normal({ exchange, behaviour, usual }) {
    exchange.head(usual)
    await finish(exchange, usual.pieces, behaviour.paceMs)
  },
  async answer({ exchange, behaviour: { status, headers = [], body = '', afterMs = 0 } }) {
    await pause(exchange, afterMs)
    await send(exchange, plain(status, headers, body))
  },
  'reset-before-headers': ({ exchange }) => exchange.reset(),
  'close-before-headers': ({ exchange }) => exchange.fin(),
  async 'slow-headers'({ exchange, behaviour, usual }) {
    await pause(exchange, behaviour.ms)
    await send(exchange, usual)
  },
  async 'never-headers'({ exchange, usual }) {
    await exchange.held()
    await send(exchange, usual)
  },
  async silence({ exchange, behaviour: { frames = 0 }, usual }) {
    exchange.head(usual)
    await writeAll(exchange, usual.pieces.slice(0, frames))
    await exchange.held()
    await finish(exchange, usual.pieces.slice(frames))
  },
  async pieces({ exchange, behaviour }) {
    const { status = 200, headers = [['content-type', 'text/event-stream']] } = behaviour
    exchange.head({ status, headers, pieces: [], chunked: true })
    for (const { bytes, afterMs = 0 } of behaviour.pieces) {
      await pause(exchange, afterMs)
      await exchange.write(Buffer.from(bytes))
    }
    if (behaviour.ending === 'reset') exchange.reset()
    else if (behaviour.ending === 'fin') exchange.fin()
    else await exchange.end()
  },
  async 'reset-mid-stream'({ exchange, behaviour, usual }) {
    await begin(exchange, usual, behaviour.frames)
    exchange.reset()
  },
  async 'close-mid-stream'({ exchange, behaviour, usual }) {
    await begin(exchange, usual, behaviour.frames)
    exchange.fin()
  },
  async 'cut-mid-stream'({ exchange, behaviour, usual }) {
    exchange.head({ ...usual, chunked: true })
    await finish(exchange, firstPieces(usual, behaviour.frames))
  },
  async 'short-body'({ exchange, behaviour, usual }) {
    const body = Buffer.concat(usual.pieces)
    const missing = behaviour.missingBytes ?? Math.ceil(body.length / 2)
    exchange.head({ ...usual, chunked: false })
    await exchange.write(body.subarray(0, body.length - missing))
    exchange.fin()
  },
  async endless({ exchange, behaviour, usual }) {
    const hold = { released: false }
    exchange.held().then(
      () => (hold.released = true),
      () => {}, // The next write tells that the gate has gone.
    )
    const at = usual.contentPiece ?? 0
    exchange.head({ ...usual, chunked: true })
    await writeAll(exchange, usual.pieces.slice(0, at))
    while (!hold.released) {
      await exchange.write(repeatable(usual))
      await pause(exchange, behaviour.everyMs)
    }
    await finish(exchange, usual.pieces.slice(at))
  },
  async flood({ exchange, behaviour, usual }) {
    const at = usual.contentPiece ?? 0
    const one = repeatable(usual)
    const many = Buffer.alloc(one.length * Math.ceil(FLOOD_PIECE_BYTES / one.length), one)
    exchange.head({ ...usual, chunked: true })
    await writeAll(exchange, usual.pieces.slice(0, at))
    while (exchange.record.sentBytes < behaviour.bytes) await exchange.write(many)
    await finish(exchange, usual.pieces.slice(at))
  },
  async 'error-frame'({ exchange, behaviour, usual }) {
    const message = behaviour.message ?? 'Context size has been exceeded.'
    const error = { code: 500, message, type: 'server_error' }
    const isMessages = /\/messages(\?|$)/.test(exchange.record.url)
    const frame = isMessages ? typedErrorFrame(error) : dataFrame({ error })
    await begin(exchange, { ...usual, chunked: true }, behaviour.frames)
    await exchange.end(Buffer.from(frame))
  },
  redirect: ({ exchange, behaviour: { status, location } }) =>
    send(exchange, plain(status, [['location', location]], '')),
  gzip: async ({ exchange, usual }) => send(exchange, await compress(usual)),
  'unclean-headers': ({ exchange, usual }) => {
    const own = usual.headers.filter(([name]) => !name.startsWith('access-control-'))
    return send(exchange, { ...usual, headers: [...own, ...UNCLEAN_HEADERS] })
  },
  async 'early-hints'({ exchange, usual }) {
    await exchange.hint()
    await send(exchange, usual)
  },
  empty: ({ exchange, behaviour: { status } }) => send(exchange, plain(status, [], '')),
  async 'loading-state'({ exchange, behaviour, usual }) {
    const headers = [
      ['content-type', 'text/event-stream'],
      ['cache-control', 'no-cache'],
    ] as const
    const rest = behaviour.tail === undefined ? usual.pieces : [Buffer.from(behaviour.tail)]
    exchange.head({ status: 200, headers, pieces: [], chunked: true })
    await writeAll(exchange, loadingFrames(exchange.record.model ?? ''))
    await finish(exchange, rest)
  },
}

/** Makes a behaviour happen; throws `GateGone` when the gate leaves first. */
export async function perform<K extends Behaviour['kind']>(
  kind: K,
  performance: Performance<Extract<Behaviour, { kind: K }>>,
): Promise<void> {
  await PERFORMERS[kind](performance)
}

async function send(exchange: Exchange, answer: Answer): Promise<void> {
  exchange.head(answer)
  await finish(exchange, answer.pieces)
}

/** Headers as usual, with the whole length announced if it usually is, and some of the pieces. */
async function begin(exchange: Exchange, usual: Answer, count: number): Promise<void> {
  exchange.head(usual)
  await writeAll(exchange, firstPieces(usual, count))
}

/** Never the last piece: what is broken off must miss something. */
function firstPieces(usual: Answer, count: number): readonly Buffer[] {
  return usual.pieces.slice(0, -1).slice(0, count)
}

/** The remaining pieces, and the end in good order. */
async function finish(exchange: Exchange, pieces: readonly Buffer[], paceMs = 0): Promise<void> {
  await writeAll(exchange, pieces.slice(0, -1), paceMs)
  await pause(exchange, paceMs)
  await exchange.end(pieces.at(-1))
}

async function writeAll(exchange: Exchange, pieces: readonly Buffer[], paceMs = 0): Promise<void> {
  for (const piece of pieces) {
    await pause(exchange, paceMs)
    await exchange.write(piece)
  }
}

async function pause(exchange: Exchange, ms: number): Promise<void> {
  if (ms > 0) await exchange.unlessGone(sleep(ms, undefined, { ref: false }))
}

/** What may be repeated without making a stream invalid; JSON allows any number of blanks. */
function repeatable(usual: Answer): Buffer {
  const piece = usual.pieces[usual.contentPiece ?? 0]
  return isEventStream(usual) && piece !== undefined ? piece : Buffer.alloc(1024, ' ')
}
