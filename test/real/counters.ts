import type { LlamaServer } from './llama-server.ts'

/** What a llama-server that was started with `--metrics` has computed since its start, in tokens. */
export interface Counters {
  /** Those of prompts that did not come from the cache. */
  prompt: number
  cached: number
  completion: number
}

/** How many requests it works on now, and how many wait for a slot. */
export interface Load {
  processing: number
  deferred: number
}

export async function readCounters(server: LlamaServer): Promise<Counters> {
  const metric = await readMetrics(server)
  return {
    prompt: metric('prompt_tokens_total'),
    cached: metric('prompt_tokens_cached_total'),
    completion: metric('tokens_predicted_total'),
  }
}

export async function readLoad(server: LlamaServer): Promise<Load> {
  const metric = await readMetrics(server)
  return { processing: metric('requests_processing'), deferred: metric('requests_deferred') }
}

async function readMetrics({ url }: LlamaServer): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return (name) => {
    const value = new RegExp(`^llamacpp:${name} (\\d+)$`, 'm').exec(text)?.[1]
    if (value === undefined) throw new Error(`no llamacpp:${name} in ${text}`)
    return Number(value)
  }
}
