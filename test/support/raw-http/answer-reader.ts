import type { AnswerEnding, InterimAnswer, RawAnswer } from './answer.ts'
import { headerValue } from './answer.ts'

type Phase = 'head' | 'length' | 'size' | 'chunk' | 'trailers' | 'close' | 'done'

const EMPTY = Buffer.alloc(0)

/**
 * Reads one HTTP/1.1 answer from bytes that arrive in any pieces. It is strict about framing, because
 * whether the framing was complete is what the tests ask.
 */
export class AnswerReader {
  readonly #method: string
  #phase: Phase = 'head'
  #pending: Buffer = EMPTY
  #missing = 0
  #statusLine = ''
  #headerLines: string[] = []
  #framing: RawAnswer['framing'] = 'none'
  readonly #interim: InterimAnswer[] = []
  readonly #body: Buffer[] = []
  readonly #raw: Buffer[] = []
  readonly #chunks: Buffer[] = []
  readonly #trailers: string[] = []
  #chunk: Buffer[] = []

  /** The method decides whether a body follows: an answer to HEAD has none. */
  constructor(method: string) {
    this.#method = method
  }

  /** True when the framing says that the whole answer is here. */
  get done(): boolean {
    return this.#phase === 'done'
  }

  /** Takes the next bytes from the wire. */
  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    while (this.#pending.length > 0 && this.#step()) {
      // Each step consumes one line, or as much of a body as there is.
    }
  }

  /** The answer as far as it came; `closed` tells how the connection ended, if it has. */
  finish(closed: 'open' | 'fin' | 'reset'): RawAnswer {
    return {
      status: Number(this.#statusLine.split(' ')[1] ?? 0),
      statusLine: this.#statusLine,
      headerLines: this.#headerLines,
      interim: this.#interim,
      body: Buffer.concat([...this.#body, ...this.#chunk]),
      rawBody: Buffer.concat(this.#raw),
      chunks: this.#chunks,
      trailerLines: this.#trailers,
      framing: this.#framing,
      ending: this.#ending(closed),
      extra: this.done ? this.#pending : EMPTY,
    }
  }

  #ending(closed: 'open' | 'fin' | 'reset'): AnswerEnding {
    if (this.#phase === 'done') return 'complete'
    if (closed === 'reset') return 'reset'
    return this.#phase === 'close' ? 'complete' : 'cut'
  }

  /** Consumes what one phase can; false when more bytes are needed. */
  #step(): boolean {
    switch (this.#phase) {
      case 'head':
        return this.#head()
      case 'length':
      case 'chunk':
        return this.#counted()
      case 'size':
        return this.#size()
      case 'trailers':
        return this.#trailer()
      case 'close':
        this.#body.push(this.#take(this.#pending.length))
        return true
      case 'done':
        return false
      default:
        return this.#phase satisfies never
    }
  }

  #head(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n')
    if (end === -1) return false
    const [statusLine = '', ...headerLines] = this.#pending
      .subarray(0, end)
      .toString('latin1')
      .split('\r\n')
    this.#pending = this.#pending.subarray(end + 4)
    const status = Number(statusLine.split(' ')[1] ?? 0)
    if (status >= 100 && status < 200 && status !== 101) {
      this.#interim.push({ status, headerLines })
      return true
    }
    this.#statusLine = statusLine
    this.#headerLines = headerLines
    this.#chooseFraming(status)
    return true
  }

  #chooseFraming(status: number): void {
    const head = { headerLines: this.#headerLines }
    const length = headerValue(head, 'content-length')
    const chunked = headerValue(head, 'transfer-encoding')?.toLowerCase() === 'chunked'
    if (this.#method === 'HEAD' || status === 204 || status === 304) {
      this.#phase = 'done'
    } else if (chunked) {
      this.#framing = 'chunked'
      this.#phase = 'size'
    } else if (length !== undefined) {
      this.#framing = 'length'
      this.#missing = Number(length)
      this.#phase = this.#missing === 0 ? 'done' : 'length'
    } else {
      this.#framing = 'close'
      this.#phase = 'close'
    }
  }

  #size(): boolean {
    const line = this.#line()
    if (line === undefined) return false
    if (!/^[0-9a-f]+(;.*)?$/i.test(line)) throw new Error(`not a chunk size: ${line}`)
    this.#missing = Number.parseInt(line, 16)
    this.#phase = this.#missing === 0 ? 'trailers' : 'chunk'
    return true
  }

  /** Body bytes of a known count; a chunk is followed by its own line end. */
  #counted(): boolean {
    if (this.#missing > 0) {
      const bytes = this.#take(Math.min(this.#missing, this.#pending.length))
      this.#missing -= bytes.length
      ;(this.#phase === 'chunk' ? this.#chunk : this.#body).push(bytes)
    }
    if (this.#missing > 0) return true
    if (this.#phase === 'length') {
      this.#phase = 'done'
      return true
    }
    const end = this.#line()
    if (end === undefined) return false
    if (end !== '') throw new Error(`a chunk is longer than its size: ${end}`)
    const chunk = Buffer.concat(this.#chunk)
    this.#chunk = []
    this.#chunks.push(chunk)
    this.#body.push(chunk)
    this.#phase = 'size'
    return true
  }

  #trailer(): boolean {
    const line = this.#line()
    if (line === undefined) return false
    if (line === '') this.#phase = 'done'
    else this.#trailers.push(line)
    return true
  }

  #line(): string | undefined {
    const end = this.#pending.indexOf('\r\n')
    return end === -1 ? undefined : this.#take(end + 2).toString('latin1', 0, end)
  }

  #take(count: number): Buffer {
    const bytes = this.#pending.subarray(0, count)
    this.#pending = this.#pending.subarray(count)
    this.#raw.push(bytes)
    return bytes
  }
}
