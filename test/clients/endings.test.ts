import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import { SPOKEN } from '../support/look-alike/completion.ts'
import { recordAttempts, statusesOf } from './attempts.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import type { Sdk, Told } from './sdks.ts'
import { SDKS } from './sdks.ts'

/** Frames before the end: three of them hold text in OpenAI's dialect, two in Anthropic's. */
const FRAMES = 4

const CUT = 'The model server ended the stream before the answer was complete.'
/** llama-server's words when its cache is full in the middle of an answer. */
const FULL = 'Context size has been exceeded.'

const STREAMS: [string, Behaviour][] = [
  ['ended as if it were complete', { kind: 'cut-mid-stream', frames: FRAMES }],
  ['closed', { kind: 'close-mid-stream', frames: FRAMES }],
  ['reset', { kind: 'reset-mid-stream', frames: FRAMES }],
]

const HALVES: [string, Behaviour][] = [
  ['ended as if it were complete', { kind: 'cut-mid-stream', frames: 1 }],
  ['closed too early', { kind: 'short-body' }],
  ['reset', { kind: 'reset-mid-stream', frames: 1 }],
]

const isAnthropic = (sdk: Sdk): boolean => sdk.name === '@anthropic-ai/sdk'

type Failure = Omit<Told, 'requestId'>

/** What an SDK tells of an error inside a stream: there is no status any more. */
function toldInStream(sdk: Sdk, openai: Pick<Told, 'code' | 'status' | 'message'>): Failure {
  const { code, status, message } = openai
  if (isAnthropic(sdk))
    return { error: 'APIError', status: undefined, type: 'api_error', code: null, message }
  const type = 'server_error'
  if (sdk.name === 'ai') return { error: 'StreamProviderError', status, type, code, message }
  return { error: 'APIError', status: undefined, type, code, message }
}

/** Streams an answer that must fail; gives what was heard of it, and what was told of its end. */
async function brokenStream(
  sdk: Sdk,
  box: Box,
): Promise<{ heard: string; told: Failure; statuses: (number | undefined)[] }> {
  const { attempts, fetch } = recordAttempts()
  let heard = ''
  const error: unknown = await sdk
    .stream({ url: box.url, key: KEYS.user, fetch }, (text) => (heard += text))
    .then(
      () => Promise.reject(new Error(`expected a failure behind "${heard}"`)),
      (reason: unknown) => reason,
    )
  const { requestId: _, ...told } = sdk.read(error)
  return { heard, told, statuses: statusesOf(attempts) }
}

describe.each(SDKS)('$name', (sdk) => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test.each(STREAMS)('takes a stream that is %s for what it is', async (_, behaviour) => {
    box.upstream.behave(behaviour)
    expect(await brokenStream(sdk, box)).toEqual({
      heard: SPOKEN.slice(0, isAnthropic(sdk) ? 2 : 3).join(''),
      told: toldInStream(sdk, { code: 'stream_interrupted', status: undefined, message: CUT }),
      statuses: [200],
    })
  })

  test('takes a stream that ends before its first word for what it is', async () => {
    box.upstream.behave({ kind: 'cut-mid-stream', frames: 0 })
    expect(await brokenStream(sdk, box)).toEqual({
      heard: '',
      told: toldInStream(sdk, { code: 'stream_interrupted', status: undefined, message: CUT }),
      statuses: [200],
    })
  })

  test("raises llama-server's error in the middle of a stream", async () => {
    box.upstream.behave({ kind: 'error-frame', frames: FRAMES, message: FULL })
    expect(await brokenStream(sdk, box)).toEqual({
      heard: SPOKEN.slice(0, isAnthropic(sdk) ? 2 : 3).join(''),
      told: toldInStream(sdk, { code: 500, status: 500, message: FULL }),
      statuses: [200],
    })
  })

  test.each(HALVES)('takes no JSON that is %s for an answer', async (_, behaviour) => {
    box.upstream.behave(behaviour)
    const { attempts, fetch } = recordAttempts()
    const asked = sdk.answer({ url: box.url, key: KEYS.user, fetch })
    const result: unknown = await asked.then(({ text }) => text, String)
    // The AI SDK asks again of its own accord, two seconds later.
    expect({ result, statuses: statusesOf(attempts) }).toEqual(
      sdk.name === 'ai'
        ? { result: SPOKEN.join(''), statuses: [200, 200] }
        : { result: 'TypeError: terminated', statuses: [200] },
    )
  })
})
