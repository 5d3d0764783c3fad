import type { Tokens } from './completion.ts'
import type { HeaderPairs } from './answer.ts'

/** Bytes written as one HTTP chunk, after a delay; no bytes only wait. */
export type Piece = { bytes: string | Uint8Array; afterMs?: number }

/**
 * Something that llama-swap, or a server posing as it, does to one request. `frames` counts pieces of
 * the usual answer: SSE frames, or the two halves of a JSON body; a broken-off answer never gets its last.
 */
export type Behaviour =
  /** Answers as usual, with other token counts or a pause before each frame when asked for. */
  | { kind: 'normal'; tokens?: Tokens; paceMs?: number }
  /** Answers, at once or later, with exactly this status, these headers and this body; no content type of its own. */
  | {
      kind: 'answer'
      status: number
      headers?: HeaderPairs
      body?: string | Uint8Array
      afterMs?: number
    }
  /** Resets the connection (RST) before any header. */
  | { kind: 'reset-before-headers' }
  /** Closes the connection (FIN) before any header. */
  | { kind: 'close-before-headers' }
  /** Sends the usual answer after a delay, as during a model load. */
  | { kind: 'slow-headers'; ms: number }
  /** Sends nothing at all until `release()` (then the usual answer) or until the gate closes. */
  | { kind: 'never-headers' }
  /** Sends headers and `frames` pieces (default 0), then nothing until `release()` or the close. */
  | { kind: 'silence'; frames?: number }
  /** Writes each piece as one chunk after its delay, then ends in the given way (default clean). */
  | {
      kind: 'pieces'
      pieces: readonly Piece[]
      status?: number
      headers?: HeaderPairs
      ending?: 'clean' | 'fin' | 'reset'
    }
  /** Sends `frames` pieces of the usual answer, then resets the connection (RST). */
  | { kind: 'reset-mid-stream'; frames: number }
  /** Sends `frames` pieces, then closes the connection (FIN) without the last chunk. */
  | { kind: 'close-mid-stream'; frames: number }
  /** Sends `frames` pieces, then ends the chunked encoding properly: llama-swap's silent cut. */
  | { kind: 'cut-mid-stream'; frames: number }
  /** Announces the whole length, sends `missingBytes` fewer (default half the body), then FIN. */
  | { kind: 'short-body'; missingBytes?: number }
  /** Repeats a content frame every `everyMs` until `release()` (then the usual end) or the close. */
  | { kind: 'endless'; everyMs: number }
  /** Sends at least `bytes` of body as fast as they are taken, then the usual end. */
  | { kind: 'flood'; bytes: number }
  /** Sends `frames` pieces and then llama-server's own error frame, with no terminator. */
  | { kind: 'error-frame'; frames: number; message?: string }
  /** Redirects, which the gate must not follow. */
  | { kind: 'redirect'; status: 301 | 302 | 303 | 307 | 308; location: string }
  /** Compresses the usual answer with gzip, whatever the request said it accepts. */
  | { kind: 'gzip' }
  /** Adds every header of `UNCLEAN_HEADERS` to the usual answer. */
  | { kind: 'unclean-headers' }
  /** Sends `103 Early Hints` before the usual answer. */
  | { kind: 'early-hints' }
  /** Answers with a status that has no body. */
  | { kind: 'empty'; status: 204 | 304 }
  /** Streams llama-swap's loading chunks, then `tail` as it is (raw JSON), or the usual frames. */
  | { kind: 'loading-state'; tail?: string }

/** Headers that must not reach a client, and one (`x-kept`) that must. */
export const UNCLEAN_HEADERS: HeaderPairs = [
  ['access-control-allow-origin', 'https://upstream.example'],
  ['access-control-allow-credentials', 'true'],
  ['access-control-expose-headers', 'x-upstream'],
  ['set-cookie', 'session=upstream; Path=/'],
  ['set-cookie', 'second=upstream; Path=/'],
  ['connection', 'keep-alive, x-nominated'],
  ['x-nominated', 'named by the Connection header'],
  ['keep-alive', 'timeout=5, max=100'],
  ['proxy-authenticate', 'Basic realm="upstream"'],
  ['proxy-connection', 'keep-alive'],
  ['x-kept', 'an end-to-end header'],
]
