import { valueOf } from './command-words.ts'
import type { ContextSize } from '../context-size.ts'
import type { ServerCall, ServerKind } from './server-kind.ts'

/** The flag by which a server is told its context, by program. */
const FLAGS: Readonly<Partial<Record<ServerKind, { flag: string; name: string }>>> = {
  vllm: { flag: '--max-model-len', name: 'vLLM' },
  sglang: { flag: '--context-length', name: 'SGLang' },
  tabbyapi: { flag: '--max-seq-len', name: 'TabbyAPI' },
  koboldcpp: { flag: '--contextsize', name: 'koboldcpp' },
}

/** `32k` is 32,000 and `32K` is 32,768, as vLLM counts. */
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1000, K: 1024, m: 1e6, M: 2 ** 20 }

/** The tokens of one request to a server other than llama-server. */
export function otherContext({ kind, args, why }: ServerCall): ContextSize {
  if (kind === 'media') return none('makes or reads media, which has no context')
  const server = FLAGS[kind]
  if (!server) return none(why ?? 'the command does not name a server that the gate can read')
  const written = valueOf(args, server.flag)
  if (written === undefined)
    return none(`no ${server.flag}: ${server.name} decides, known once it runs`)
  const tokens = tokensIn(written, kind)
  return tokens === undefined
    ? none(`${server.flag} is no number here: ${server.name} decides`)
    : {
        tokens,
        source: 'command',
        certainty: 'estimate',
        why: `${server.flag} ${written} of ${server.name}`,
      }
}

function tokensIn(written: string, kind: ServerKind): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)([kKmM]?)$/.exec(written)
  if (!parts || (parts[2] !== '' && kind !== 'vllm')) return undefined
  const tokens = Math.floor(Number(parts[1]) * (UNITS[parts[2] ?? ''] ?? 1))
  return tokens > 0 ? tokens : undefined
}

function none(why: string): ContextSize {
  return { tokens: undefined, source: 'unknown', why }
}
