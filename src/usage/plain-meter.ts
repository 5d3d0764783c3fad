import { joinBytes } from '../body/join-bytes.ts'
import { decodeJson, scanJsonObject, type Span } from '../body/scan-json.ts'
import type { Meter, MeterOptions } from './meter.ts'
import {
  isJsonObject,
  readNative,
  readTimings,
  readUsage,
  sumCounts,
  type JsonObject,
} from './read-counts.ts'
import type { TokenCounts } from './record.ts'

/** The most that is kept of an answer: twenty alternatives for each token make megabytes; more than this are vectors. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024
/** Enough for what stands before the vectors. */
const HEAD_BYTES = 4096

const MEMBERS = ['usage', 'timings', 'tokens_evaluated', 'tokens_predicted', 'choices']
const latin1 = new TextDecoder('latin1')
const encoder = new TextEncoder()

type Told = { counts: TokenCounts | undefined; isLlamaCpp: boolean }
const NOTHING: Told = { counts: undefined, isLlamaCpp: false }

/** Meters an answer that is one JSON value, whatever route it is of. Pieces are kept by reference until it is read. */
export function plainMeter({ prompts }: Pick<MeterOptions, 'prompts'>): Meter {
  let pieces: Uint8Array[] = []
  let bytes = 0
  let isTooLong = false
  let told: Told | undefined
  const read = (): Told => {
    if (!told) {
      const kept = joinBytes(pieces)
      told = isTooLong ? readHead(kept) : readAnswer(kept, prompts)
    }
    return told
  }
  return {
    frames: (frames) => frames,
    piece(piece) {
      told = undefined
      bytes += piece.length
      if (isTooLong) return
      pieces.push(piece)
      if (bytes <= MOST_KEPT_BYTES) return
      isTooLong = true
      pieces = [joinBytes(pieces).slice(0, HEAD_BYTES)]
    },
    counts: () => read().counts,
    isLlamaCpp: () => read().isLlamaCpp,
  }
}

function readAnswer(body: Uint8Array, prompts: number): Told {
  const scan = scanJsonObject(body)
  if (scan.ok) return readObject(objectFrom(body, scan.members), prompts)
  // llama.cpp's own /completion answers several prompts with a list.
  const list = scan.problem === 'not-an-object' ? decodeJson(body) : undefined
  if (!Array.isArray(list)) return NOTHING
  const all = list.flatMap((item: unknown) => (isJsonObject(item) ? (readNative(item) ?? []) : []))
  const counts = sumCounts(all)
  return { counts, isLlamaCpp: counts !== undefined }
}

function objectFrom(body: Uint8Array, members: ReadonlyMap<string, Span>): JsonObject {
  const wanted = MEMBERS.flatMap((name) => {
    const span = members.get(name)
    return span ? [[name, decodeJson(body.subarray(span.start, span.end))]] : []
  })
  return Object.fromEntries(wanted)
}

function readObject(answer: JsonObject, prompts: number): Told {
  const timings = readTimings(answer['timings'])
  const native = readNative(answer)
  const counts = readUsage(answer['usage']) ?? native ?? timings
  const isLlamaCpp = timings !== undefined || native !== undefined
  const choices = Array.isArray(answer['choices']) ? answer['choices'].length : 1
  if (!counts || !isLlamaCpp || choices < 2) return { counts, isLlamaCpp }
  return { counts: ofAllChoices(counts, choices, prompts), isLlamaCpp }
}

/**
 * llama.cpp tells only what the first of several choices used, and the first of several prompts (measured: two choices
 * of 4 tokens are told as 4, its metrics count 8). The others are taken to be like it.
 */
function ofAllChoices(first: TokenCounts, choices: number, prompts: number): TokenCounts {
  const shares = Math.min(prompts, choices)
  return {
    prompt: first.prompt * shares,
    cached: first.cached * shares,
    completion: first.completion * choices,
    exact: false,
  }
}

/**
 * Embeddings: llama-server writes `usage` before the vectors. When the head up to `data` and a closing brace are one
 * whole object, then that place is within no string and no deeper value, and what was found is the answer's own.
 */
function readHead(head: Uint8Array): Told {
  const end = latin1.decode(head).indexOf(',"data":[')
  if (end < 0) return NOTHING
  const closed = joinBytes([head.subarray(0, end), encoder.encode('}')])
  const scan = scanJsonObject(closed)
  return scan.ok ? readObject(objectFrom(closed, scan.members), 1) : NOTHING
}
