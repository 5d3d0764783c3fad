import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic, { APIError as AnthropicError } from '@anthropic-ai/sdk'
import { APICallError, generateText, RetryError, StreamProviderError, streamText } from 'ai'
import OpenAI, { APIError as OpenAIError } from 'openai'
import { z } from 'zod'

/** One question to a model, asked through an SDK as its documentation shows. */
export type Ask = {
  /** The gate, without a trailing slash. */
  url: string
  /** Undefined sends no credential at all. */
  key: string | undefined
  model?: string
  signal?: AbortSignal
  /** Stands for the runtime's own, to see or to change what an SDK sends. */
  fetch?: typeof fetch
  /** Every SDK retries twice unless told otherwise. */
  maxRetries?: number
}

/** Tokens of one call; the prompt includes what came from the cache. */
export type Tokens = { prompt: number | undefined; completion: number | undefined }

/** What an SDK tells its user of a failure. */
export type Told = {
  error: string
  status: number | undefined
  type: string | null | undefined
  /** Anthropic's API has no codes. */
  code: string | number | null | undefined
  message: string | undefined
  requestId: string | null | undefined
}

/** An SDK behind what they all do, each in its own words. */
export type Sdk = {
  name: string
  /** The path that its requests take. */
  path: string
  answer(ask: Ask): Promise<{ text: string; tokens: Tokens }>
  /** Gives the text piece by piece and the tokens at the end; throws wherever the SDK tells of a failure. */
  stream(ask: Ask, onText: (text: string) => void): Promise<Tokens>
  /** Reads an error of the API; throws any other. */
  read(error: unknown): Told
}

/** The error of an OpenAI answer. */
const openaiError = z.looseObject({
  message: z.string(),
  type: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
})

const MODEL = 'gpt-oss-120b'
const QUESTION = 'Say hello.'
const messages: [{ role: 'user'; content: string }] = [{ role: 'user', content: QUESTION }]

/** The openai package's client for a gate. */
export function openaiFor({ url, key, fetch, maxRetries }: Ask): OpenAI {
  return new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: key ?? 'unused',
    ...(key === undefined && { defaultHeaders: { authorization: null } }),
    ...(fetch && { fetch }),
    ...(maxRetries !== undefined && { maxRetries }),
  })
}

const openai: Sdk = {
  name: 'openai',
  path: '/v1/chat/completions',
  async answer(ask) {
    const { choices, usage } = await openaiFor(ask).chat.completions.create(
      { model: ask.model ?? MODEL, messages },
      { signal: ask.signal },
    )
    return {
      text: choices[0]?.message.content ?? '',
      tokens: { prompt: usage?.prompt_tokens, completion: usage?.completion_tokens },
    }
  },
  async stream(ask, onText) {
    const stream = await openaiFor(ask).chat.completions.create(
      {
        model: ask.model ?? MODEL,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      },
      { signal: ask.signal },
    )
    let tokens: Tokens = { prompt: undefined, completion: undefined }
    for await (const { choices, usage } of stream) {
      onText(choices[0]?.delta.content ?? '')
      if (usage) tokens = { prompt: usage.prompt_tokens, completion: usage.completion_tokens }
    }
    return tokens
  },
  read(error) {
    if (!(error instanceof OpenAIError)) throw error
    const { status, type, code, requestID } = error
    return {
      error: error.constructor.name,
      status,
      type,
      code,
      message: openaiError.parse(error.error).message,
      requestId: requestID,
    }
  },
}

/** The Anthropic package's client for a gate. */
export function anthropicFor({ url, key, fetch, maxRetries }: Ask): Anthropic {
  return new Anthropic({
    baseURL: url,
    apiKey: key ?? 'unused',
    ...(key === undefined && { defaultHeaders: { authorization: null } }),
    ...(fetch && { fetch }),
    ...(maxRetries !== undefined && { maxRetries }),
  })
}

const anthropic: Sdk = {
  name: '@anthropic-ai/sdk',
  path: '/v1/messages',
  async answer(ask) {
    const { content, usage } = await anthropicFor(ask).messages.create(
      { model: ask.model ?? MODEL, messages, max_tokens: 100 },
      { signal: ask.signal },
    )
    return {
      text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      tokens: {
        prompt: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
        completion: usage.output_tokens,
      },
    }
  },
  async stream(ask, onText) {
    const stream = await anthropicFor(ask).messages.create(
      { model: ask.model ?? MODEL, messages, max_tokens: 100, stream: true },
      { signal: ask.signal },
    )
    const tokens: Tokens = { prompt: undefined, completion: undefined }
    for await (const event of stream) {
      if (event.type === 'message_start') {
        const { usage } = event.message
        tokens.prompt = usage.input_tokens + (usage.cache_read_input_tokens ?? 0)
      }
      if (event.type === 'message_delta') tokens.completion = event.usage.output_tokens
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        onText(event.delta.text)
    }
    return tokens
  },
  read(error) {
    if (!(error instanceof AnthropicError)) throw error
    const { status, type, apiMessage, errorCode, requestID } = error
    return {
      error: error.constructor.name,
      status,
      type,
      code: errorCode,
      message: apiMessage ?? undefined,
      requestId: requestID,
    }
  },
}

/** The AI SDK's provider for a gate, as OpenCode sets it up. */
export function providerFor({ url, key, fetch }: Ask): ReturnType<typeof createOpenAICompatible> {
  return createOpenAICompatible({
    name: 'gate',
    baseURL: `${url}/v1`,
    includeUsage: true,
    ...(key !== undefined && { apiKey: key }),
    ...(fetch && { fetch }),
  })
}

function aiOptions(ask: Ask): Parameters<typeof generateText>[0] {
  return {
    model: providerFor(ask)(ask.model ?? MODEL),
    prompt: QUESTION,
    ...(ask.signal && { abortSignal: ask.signal }),
    ...(ask.maxRetries !== undefined && { maxRetries: ask.maxRetries }),
  }
}

const ai: Sdk = {
  name: 'ai',
  path: '/v1/chat/completions',
  async answer(ask) {
    const { text, usage } = await generateText(aiOptions(ask))
    return { text, tokens: { prompt: usage.inputTokens, completion: usage.outputTokens } }
  },
  async stream(ask, onText) {
    // It throws nothing of its own accord: what goes wrong is a part of the stream, and logged unless `onError` is given.
    const { fullStream, usage } = streamText({ ...aiOptions(ask), onError() {} })
    for await (const part of fullStream) {
      if (part.type === 'text-delta') onText(part.text)
      if (part.type === 'error') throw part.error
      if (part.type === 'abort') throw new DOMException('Aborted by the caller.', 'AbortError')
    }
    const { inputTokens, outputTokens } = await usage
    return { prompt: inputTokens, completion: outputTokens }
  },
  read(error) {
    if (StreamProviderError.isInstance(error)) {
      const { type, code, statusCode: status, message } = error
      return { error: 'StreamProviderError', status, type, code, message, requestId: undefined }
    }
    const last = RetryError.isInstance(error) ? error.lastError : error
    if (!APICallError.isInstance(last)) throw error
    const { type, code, message } = openaiError.parse(
      z.object({ error: z.unknown() }).parse(last.data).error,
    )
    return {
      error: RetryError.isInstance(error) ? 'RetryError' : 'APICallError',
      status: last.statusCode,
      type,
      code,
      message,
      requestId: last.responseHeaders?.['x-request-id'],
    }
  },
}

export const SDKS: Sdk[] = [openai, ai, anthropic]

/** What every SDK makes of the same thing at the same time, by name. */
export async function ofAll<T>(ask: (sdk: Sdk) => Promise<T>): Promise<Record<string, T>> {
  const made = SDKS.map(async (sdk) => [sdk.name, await ask(sdk)] as const)
  return Object.fromEntries(await Promise.all(made))
}
