/** Where the size of a context is known from, the surest first. */
export const CONTEXT_SOURCES = [
  'configured',
  'props',
  'overflow',
  'listing',
  'command',
  'unknown',
] as const

export type ContextSource = (typeof CONTEXT_SOURCES)[number]

/**
 * How many tokens one request to a model may hold, prompt and answer together.
 *
 * - `configured`: the owner says so, in `contexts` of config.json
 * - `props`: the running llama-server says so
 * - `overflow`: llama-server said so when a request was too long
 * - `listing`: llama-swap's list says so; somebody wrote it there by hand
 * - `command`: worked out from the command line and its environment
 */
export type ContextSize =
  | {
      tokens: number
      source: Exclude<ContextSource, 'unknown'>
      /** `estimate`: what is loaded may differ, because of the model's training, free memory or a hand-written number. */
      certainty: 'exact' | 'estimate'
      /** For a person: what it follows from, or what is doubtful about it. Numbers and flags only, never a path or key. */
      why: string
    }
  | { tokens: undefined; source: 'unknown'; why: string }
