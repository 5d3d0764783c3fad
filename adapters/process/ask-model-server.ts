import { isLoopback } from '../../src/config/is-loopback.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import type { AskModelServer } from '../../src/deps.ts'

/** It answers at once, whatever it works on; a client may be waiting for the list of models. */
const PATIENCE_MS = 2_000
/** The description holds a chat template or two. */
const MOST_BYTES = 1024 * 1024

/**
 * Asks model servers of this machine for their `/props`; undefined where llama-swap runs on another one, whose loopback
 * addresses are not ours. Addresses of any other machine are not asked: llama-swap's answer must not lead the gate about
 * in its owner's network.
 *
 * @param upstream its key is presented: llama-server may want the same one
 */
export function createAskModelServer({
  kind,
  url,
  apiKey,
}: Pick<GateConfig['upstream'], 'kind' | 'url' | 'apiKey'>): AskModelServer | undefined {
  if (kind !== 'llama-swap' || !isOfThisMachine(url)) return undefined
  const headers = {
    accept: 'application/json',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  }
  return async (server) => {
    if (!server.startsWith('http://') || !isOfThisMachine(server)) return undefined
    try {
      const response = await fetch(`${server.replace(/\/+$/, '')}/props`, {
        headers,
        redirect: 'manual',
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      const text = await textWithin(response, MOST_BYTES)
      return response.status === 200 ? text : undefined
    } catch {
      // It is no llama-server, still busy with its start, or gone: then others know the context.
      return undefined
    }
  }
}

function isOfThisMachine(url: string): boolean {
  if (!URL.canParse(url)) return false
  return isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'))
}

/** The text of an answer; undefined for one of more bytes, of which no more are read. */
async function textWithin(response: Response, mostBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    if (bytes > mostBytes) return undefined
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}
