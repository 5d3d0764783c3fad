import { postJson, readEvents } from './client.ts'
import { AT_LENGTH, AT_LENGTH_TOKEN } from './tiny-gguf.ts'

/** One call of a mixed load. */
export interface Call {
  key: string
  path: string
  body: { model: string; stream: boolean; max_tokens: number; [field: string]: unknown }
  /** Frames after which the client leaves; undefined: it reads to the end. */
  leavesAfter: number | undefined
}

/** Draws whole numbers from `least` to `most`. */
export type Draw = (least: number, most: number) => number

const MODEL = 'gpt-oss-120b'

/** Prompts with beginnings in common, so that some of their tokens come from the cache. */
const TOPICS = ['Tell me of rivers', 'Tell me of rivers and mountains', 'Sing a song']

/** A client that leaves does so well before the end, which is no cut otherwise. */
const FRAMES_BEFORE_LEAVING = { least: 1, most: 25 }
const TOKENS_LEFT = 25

/** The same numbers each time (mulberry32). */
export function seededDraw(seed: number): Draw {
  let state = seed
  return (least, most) => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    const share = ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
    return least + Math.floor(share * (most - least + 1))
  }
}

const WAYS = [
  { path: '/v1/chat/completions', stream: false },
  { path: '/v1/chat/completions', stream: true },
  { path: '/v1/chat/completions', stream: true, stream_options: { include_usage: true } },
  { path: '/v1/messages', stream: false },
  { path: '/v1/messages', stream: true },
  { path: '/v1/completions', stream: false },
  { path: '/v1/completions', stream: true },
]

/** So many calls that read to the end, and so many streams that do not, in any order and by any of the keys. */
export function drawCalls(
  draw: Draw,
  keys: readonly string[],
  { whole, cut }: { whole: number; cut: number },
): Call[] {
  const pick = <T>(items: readonly T[]): T => items[draw(0, items.length - 1)]!
  const streams = WAYS.filter(({ stream }) => stream)
  const calls = Array.from({ length: whole + cut }, (_, i): Call => {
    const leavesAfter =
      i < cut ? draw(FRAMES_BEFORE_LEAVING.least, FRAMES_BEFORE_LEAVING.most) : undefined
    const { path, ...options } = pick(leavesAfter === undefined ? WAYS : streams)
    const tokens = leavesAfter === undefined ? draw(1, TOKENS_LEFT) : leavesAfter + TOKENS_LEFT
    const topic = `${pick(TOPICS)} ${AT_LENGTH}`
    const asked =
      path === '/v1/completions'
        ? { prompt: topic + AT_LENGTH_TOKEN }
        : { messages: [{ role: 'user', content: topic }] }
    const body = { model: MODEL, ...options, ...asked, max_tokens: tokens }
    return { key: pick(keys), path, body, leavesAfter }
  })
  return calls.toSorted(() => draw(0, 1) - 0.5)
}

/** Makes one call; fails where it did not go as it should. */
export async function makeCall(url: string, { key, path, body, leavesAfter }: Call): Promise<void> {
  const client = new AbortController()
  const headers = { authorization: `Bearer ${key}` }
  const answer = await postJson(url + path, body, { headers, signal: client.signal })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  if (leavesAfter === undefined) return void (await answer.text())
  let frames = 0
  for await (const _ of readEvents(answer)) if (++frames === leavesAfter) break
  client.abort()
  if (frames < leavesAfter) throw new Error(`${path} ended after ${frames} frames`)
}

/** Makes all calls, so many of them at once. */
export async function makeCalls(url: string, calls: Call[], atOnce: number): Promise<void> {
  const rest = [...calls]
  const client = async (): Promise<void> => {
    for (let call = rest.shift(); call; call = rest.shift()) await makeCall(url, call)
  }
  await Promise.all(Array.from({ length: atOnce }, client))
}
