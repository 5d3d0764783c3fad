import type { OpenAICompatibleProvider } from '@ai-sdk/openai-compatible'
import { embed, generateText, streamText } from 'ai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SPOKEN } from '../support/look-alike/completion.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import { providerFor } from './sdks.ts'

const model = 'gpt-oss-120b'
const prompt = 'Say hello.'

describe('the AI SDK', () => {
  let box: Box
  let provider: OpenAICompatibleProvider
  beforeAll(async () => {
    box = await startBox()
    provider = providerFor({ url: box.url, key: KEYS.user })
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test('knows how a stream ended, and what of the prompt was cached', async () => {
    const result = streamText({ model: provider(model), prompt })
    const { inputTokens, inputTokenDetails, outputTokens } = await result.usage
    expect({
      text: await result.text,
      finishReason: await result.finishReason,
      inputTokens,
      cached: inputTokenDetails.cacheReadTokens,
      outputTokens,
    }).toEqual({
      text: SPOKEN.join(''),
      finishReason: 'stop',
      inputTokens: 25,
      cached: 24,
      outputTokens: 4,
    })
  })

  test('embeds text', async () => {
    const { embedding } = await embed({ model: provider.embeddingModel(model), value: prompt })
    expect(embedding).toEqual([0.1, 0.2, 0.3])
  })

  test('knows the id of a request', async () => {
    const { response } = await generateText({ model: provider(model), prompt })
    const id = response.headers?.['x-request-id']
    await expect.poll(() => box.gate.output()).toContain(`"requestId":"${id}"`)
  })
})
