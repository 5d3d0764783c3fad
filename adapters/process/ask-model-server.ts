import { isLoopback } from '../../src/config/is-loopback.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { withoutSlash } from '../../src/config/without-slash.ts'
import type { AskModelServer } from '../../src/deps.ts'

/** It answers at once, whatever it works on; a client may be waiting for the list of models. */
const PATIENCE_MS = 2_000
/** The description holds a chat template or two. */
const MOST_BYTES = 1024 * 1024

/**
 * Asks model servers of this machine for their `/props`; undefined where llama-swap runs on another one, whose loopback
 * addresses are not ours, or where the owner does not want it. Addresses of any other machine are not asked: llama-swap's
 * answer must not lead the gate about in its owner's network. Behind a tunnel llama-swap only seems to be here, so who
 * answers may be anybody.
 *
 * @param upstream its key is presented where the server wants one: llama-server may want the same
 */
export function createAskModelServer(
  {
    kind,
    url,
    apiKey,
    askModels,
  }: Pick<GateConfig['upstream'], 'kind' | 'url' | 'apiKey' | 'askModels'>,
  patienceMs: number = PATIENCE_MS,
): AskModelServer | undefined {
  if (!askModels || kind !== 'llama-swap' || !isOfThisMachine(url)) return undefined
  return async (server, wantsKey) => {
    if (!server.startsWith('http://') || /[?#@]/.test(server) || !isOfThisMachine(server))
      return undefined
    const address = `${withoutSlash(server)}/props`
    const signal = AbortSignal.timeout(patienceMs)
    try {
      const { status, text } = await askOnce(address, signal)
      if (status === 200) return text
      if (status !== 401 || !wantsKey || apiKey === undefined) return undefined
      const second = await askOnce(address, signal, apiKey)
      return second.status === 200 ? second.text : undefined
    } catch {
      // It is no llama-server, still busy with its start, or gone: then others know the context.
      return undefined
    }
  }
}

async function askOnce(
  url: string,
  signal: AbortSignal,
  apiKey?: string,
): Promise<{ status: number; text: string | undefined }> {
  const headers = {
    accept: 'application/json',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  }
  const response = await fetch(url, { headers, redirect: 'manual', signal })
  return { status: response.status, text: await textWithin(response, MOST_BYTES) }
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
