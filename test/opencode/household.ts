import { MODEL, MODELS, KEY, type Scenario } from './scenario.ts'
import type { BoxModel } from './scripted-box.ts'
import type { Reply } from './reply.ts'

/** Two models that a key may chat with, one that does not chat, and one that it may not use. */
export const HOUSEHOLD: readonly BoxModel[] = [
  ...MODELS,
  { id: 'gpt-oss-120b', cmd: 'llama-server -m /models/gpt-oss-120b.gguf -c 98304 -np 1' },
  { id: 'bge-m3', cmd: 'llama-server -m /models/bge-m3.gguf --embeddings -c 8192' },
  { id: 'private', cmd: 'llama-server -m /models/private.gguf -c 8192 -np 1' },
]

/** The key for these. */
export const KEYS = [{ id: 'laptop', secret: KEY, models: [MODEL, 'gpt-*', 'bge-*'] }]

export const hello = (): Reply => ({ kind: 'text', text: 'Hello from the box.' })

/** The models that OpenCode offers, without its own free ones. */
export async function offered({ user }: Scenario, environment = {}): Promise<string[]> {
  const { stdout } = await user.opencode(['models'], { environment })
  return stdout.split('\n').filter((line) => line.startsWith('llama-swap/'))
}

/** What there is to see after one question. */
export const ANSWERED = {
  exitCode: 0,
  texts: ['Hello from the box.'],
  errors: [],
  box: { title: 1, main: 1 },
  gate: { 'laptop 200 completed': 2 },
}
