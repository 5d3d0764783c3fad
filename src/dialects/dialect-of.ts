import { anthropic } from './anthropic.ts'
import type { Dialect, DialectVoice } from './dialect.ts'
import { openai } from './openai.ts'

/** The dialect of a path: Anthropic's for its messages routes, OpenAI's for everything else. */
export function dialectOf(path: string): Dialect {
  return /^\/v1?\/messages(?:\/|$)/.test(path) ? 'anthropic' : 'openai'
}

/** The voice that speaks a dialect. */
export function voiceOf(dialect: Dialect): DialectVoice {
  return dialect === 'anthropic' ? anthropic : openai
}
