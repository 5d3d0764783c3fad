import { countTokens } from './tokens.ts'

/**
 * Stands in for llama-server's prefix cache: it remembers the last prompt since the model was
 * loaded, so that `cached_tokens` grows over a conversation and drops to 0 after a swap.
 */
export class PromptMemory {
  #last = ''

  /** How many tokens of this prompt were already computed; the prompt becomes the remembered one. */
  reuse(prompt: string): number {
    const shared = sharedPrefix(this.#last, prompt)
    this.#last = prompt
    // The last token is always computed again: the model needs it to predict the next one.
    return Math.min(countTokens(prompt.slice(0, shared)), countTokens(prompt) - 1)
  }
}

function sharedPrefix(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  let at = 0
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}
