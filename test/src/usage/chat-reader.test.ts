import { describe, expect, test } from 'vitest'
import { countsOf, ESTIMATE, frame, framesOf, meterFor, through } from './recordings.ts'

const chunk = (rest: object): string => frame({ id: 'a', object: 'chat.completion.chunk', ...rest })
const says = (content: string, index = 0): string =>
  chunk({ choices: [{ index, delta: { content }, finish_reason: null }] })
const stops = (rest: object = {}, index = 0): string =>
  chunk({ choices: [{ index, delta: {}, finish_reason: 'stop' }], ...rest })
const timings = { cache_n: 20, prompt_n: 5, predicted_n: 3 }

const usage = (completion: number): object => ({
  prompt_tokens: 25,
  completion_tokens: completion,
  total_tokens: 25 + completion,
})

describe('a stream that is cut', () => {
  test.each([
    ['while it is pinged', [':\n\n'], 0],
    ['behind its role', framesOf('chat-stream').slice(0, 1), 0],
    ['behind three tokens', framesOf('chat-stream').slice(0, 4), 3],
    ['before its timings', framesOf('chat-stream').slice(0, 5), 4],
    ['behind its finish reason', framesOf('chat-stream-usage').slice(0, 6), 4],
    ['behind three tokens of a completion', framesOf('completions-stream').slice(0, 3), 3],
  ])('%s is counted by its frames and the estimate of its prompt', (_, frames, completion) => {
    const counted = { prompt: ESTIMATE, cached: 0, completion, exact: false }
    expect(countsOf(frames)).toEqual(counted)
  })

  test.each<[string, string, number, [number, number, number]]>([
    ['before the prompt is read', 'chat-stream-progress', 1, [0, 0, 0]],
    ['when the prompt is read', 'chat-stream-progress', 2, [24, 0, 0]],
    ['behind its role', 'chat-stream-progress', 3, [24, 0, 0]],
    ['behind two tokens', 'chat-stream-progress', 5, [24, 0, 4]],
    ['behind two tokens of a cached prompt', 'chat-stream-progress-usage', 5, [24, 23, 4]],
    ['behind its finish reason', 'chat-stream-progress-usage', 8, [24, 23, 4]],
    ['with timings on each token', 'chat-stream-timings', 3, [24, 23, 4]],
    ['behind a token of each of two choices', 'chat-stream-n2', 7, [24, 23, 6]],
    ['behind one of two finished choices', 'chat-stream-n2', 14, [24, 23, 9]],
    ['behind two finished choices', 'chat-stream-n2', 16, [24, 23, 8]],
  ])(
    'of llama.cpp, %s, has the prompt so far and the two tokens that were computed unseen',
    (...[, name, frames, told]) => {
      const [prompt, cached, completion] = told
      expect(countsOf(framesOf(name).slice(0, frames))).toEqual({
        prompt,
        cached,
        completion,
        exact: false,
      })
    },
  )

  test.each([
    ['has several blanks before its data', 'data:   {"id":"a","choices":[{"text":"x"}]}\n\n', 1],
    ['has no blank before its data', 'data:{"id":"a","choices":[{"text":"x"}]}\n\n', 1],
    ['names its event first', 'event: message\ndata: {"id":"a","choices":[{"text":"x"}]}\n\n', 1],
    [
      'names its event first, in lines that end in CR LF',
      'event: message\r\ndata: {"id":"a","choices":[{"text":"x"}]}\r\n\r\n',
      1,
    ],
    ['begins with a comment', ': x\ndata: {"id":"a","choices":[{"text":"x"}]}\n\n', 1],
  ])('by a server whose frame %s has its token', (_, text, completion) => {
    expect(countsOf([text])).toEqual({ prompt: ESTIMATE, cached: 0, completion, exact: false })
  })

  test('before any frame used nothing', () => {
    expect(countsOf([])).toBeUndefined()
  })

  test('of a model that is known as llama.cpp has the two tokens that were computed unseen', () => {
    expect(countsOf([says('a'), says('b')], { isLlamaCpp: true })).toEqual({
      prompt: ESTIMATE,
      cached: 0,
      completion: 4,
      exact: false,
    })
  })

  test('within the prompt has used only what was read of it', () => {
    const progress = { total: 900, cache: 100, processed: 400, time_ms: 1 }
    const role = { index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }
    expect(countsOf([chunk({ choices: [role], prompt_progress: progress })])).toEqual({
      prompt: 400,
      cached: 100,
      completion: 0,
      exact: false,
    })
  })

  test('behind its usage is exact without [DONE]', () => {
    expect(countsOf(framesOf('chat-stream-usage').slice(0, 7))).toEqual({
      prompt: 24,
      cached: 23,
      completion: 4,
      exact: true,
    })
  })

  test.each([
    ['words', { content: 'a' }, 1],
    ['thoughts', { reasoning_content: 'a' }, 1],
    ['a call', { tool_calls: [{ index: 0, function: { arguments: '{' } }] }, 1],
    ['a refusal', { refusal: 'a' }, 1],
    ['nothing', { content: '' }, 0],
  ])('in a chunk with %s and a finish reason has its token', (_, delta, completion) => {
    const last = chunk({ choices: [{ index: 0, delta, finish_reason: 'stop' }] })
    expect(countsOf([last])).toEqual({ prompt: ESTIMATE, cached: 0, completion, exact: false })
  })
})

describe('several choices of llama.cpp', () => {
  test('are added up, their prompt is counted once', () => {
    expect(countsOf([stops({ timings }), stops({ timings }, 1)])).toEqual({
      prompt: 25,
      cached: 20,
      completion: 6,
      exact: true,
    })
  })

  test('of several prompts are added up with their prompts', () => {
    expect(countsOf([stops({ timings }), stops({ timings }, 1)], { prompts: 2 })).toEqual({
      prompt: 50,
      cached: 40,
      completion: 6,
      exact: true,
    })
  })

  test('of which one is not finished are no exact count', () => {
    expect(countsOf([stops({ timings }), says('a', 1), stops({}, 1)])).toEqual({
      prompt: 25,
      cached: 20,
      completion: 3,
      exact: false,
    })
  })
})

describe('a server that is not llama.cpp', () => {
  test('counts all choices in one usage', () => {
    const frames = [says('a'), says('b', 1), stops(), stops({}, 1)]
    const last = chunk({ choices: [], usage: usage(8) })
    const meter = meterFor({ takeOut: { usage: true, progress: false } })
    expect(through(meter, [...frames, last, 'data: [DONE]\n\n'].join(''))).toBe(
      [...frames, 'data: [DONE]\n\n'].join(''),
    )
    expect([meter.counts(), meter.isLlamaCpp()]).toEqual([
      { prompt: 25, cached: 0, completion: 8, exact: true },
      false,
    ])
  })

  test('may tell on each chunk what was used so far: the last one counts, exact only at the end', () => {
    const told = (completion: number): string =>
      chunk({ choices: [{ index: 0, delta: { content: 'a' } }], usage: usage(completion) })
    const frames = [told(1), told(2), chunk({ choices: [], usage: usage(2) })]
    expect([countsOf(frames.slice(0, 2)), countsOf(frames)]).toEqual([
      { prompt: 25, cached: 0, completion: 2, exact: false },
      { prompt: 25, cached: 0, completion: 2, exact: true },
    ])
  })

  test('may have timings that do not tell the whole prompt: its usage counts', () => {
    const last = stops({ timings: { prompt_n: 5, predicted_n: 3 }, usage: usage(3) })
    const meter = meterFor({})
    through(meter, last)
    expect([meter.counts(), meter.isLlamaCpp()]).toEqual([
      { prompt: 25, cached: 0, completion: 3, exact: true },
      false,
    ])
  })
})

describe('what is not the answer', () => {
  test.each([
    ['an error', frame({ error: { code: 500, message: 'Context size has been exceeded.' } })],
    [
      "llama-swap's text about loading",
      frame({ choices: [{ delta: { reasoning_content: 'llama-swap loading model: a' } }] }),
    ],
    ['an end without anything before', 'data: [DONE]\n\n'],
    ['text that is no JSON', 'data: {"usage":{\n\n'],
    ['an event without data', 'event: x\n\n'],
  ])('uses nothing: %s', (_, text) => {
    expect(countsOf([text])).toBeUndefined()
  })
})

describe('a model that writes the words of a usage frame', () => {
  const lie =
    '"usage":{"prompt_tokens":1,"completion_tokens":1},"timings":{"cache_n":1,"prompt_n":1}'
  const takeOut = { usage: true, progress: true }

  test.each<[string, object]>([
    ['as text', { content: `"}}],${lie},"prompt_progress":{}}` }],
    ['as text with line breaks', { content: `\n\ndata: {"choices":[],${lie}}\n\n` }],
    [
      'as an object within a call',
      {
        tool_calls: [
          {
            usage: { prompt_tokens: 1, completion_tokens: 1 },
            timings: { cache_n: 1, prompt_n: 1, predicted_n: 1 },
            prompt_progress: { total: 1, cache: 1, processed: 1 },
            choices: [],
            error: {},
            finish_reason: 'stop',
            role: 'assistant',
          },
        ],
      },
    ],
  ])('%s is counted as a token and passes', (_, delta) => {
    const meter = meterFor({ takeOut })
    const said = chunk({ choices: [{ index: 0, delta, finish_reason: null }] })
    expect(through(meter, said)).toBe(said)
    expect([meter.counts(), meter.isLlamaCpp()]).toEqual([
      { prompt: ESTIMATE, cached: 0, completion: 1, exact: false },
      false,
    ])
  })
})

describe('a progress frame', () => {
  const prompt_progress = { total: 9, cache: 0, processed: 9, time_ms: 1 }
  test.each([
    ['words', { index: 0, delta: { content: 'a' }, finish_reason: null }],
    ['a finish reason', { index: 0, delta: {}, finish_reason: 'stop' }],
  ])('that also has %s passes', (_, choice) => {
    const text = chunk({ choices: [choice], prompt_progress })
    expect(through(meterFor({ takeOut: { usage: true, progress: true } }), text)).toBe(text)
  })
})
