import { Buffer } from 'node:buffer'
import type { ClientEnd, HeaderPairs, OpenedClient } from '../../src/deps.ts'

/** One thing that was done to the client's end. */
export type ClientAct =
  | { act: 'head'; status: number; headers: HeaderPairs }
  | { act: 'write'; bytes: Uint8Array }
  | { act: 'end' }
  | { act: 'break' }

/** A client's end that writes down what it is given, and reads or leaves when a test says so. */
export class RecordingClient implements ClientEnd {
  /** Everything that was done, in order; also what the contract forbids. */
  readonly acts: ClientAct[] = []
  /** Resolves with the first head, as a runtime would send it off. */
  readonly answered = Promise.withResolvers<Response>()
  /** Whom to tell; by itself it tells nothing once the answer is over. */
  on: { drained(): void; gone(): void } | undefined
  #reads = true
  #over = false
  /** The client has left. */
  isGone = false
  /** A write found the buffer full, and nothing has been read since. */
  isFull = false

  listen(on: { drained(): void; gone(): void }): void {
    this.on = on
  }

  head(status: number, headers: HeaderPairs): void {
    this.acts.push({ act: 'head', status, headers })
    const pairs = headers.map(([name, value]): [string, string] => [name, value])
    this.answered.resolve(new Response(null, { status, headers: pairs }))
  }

  write(bytes: Uint8Array): boolean {
    this.acts.push({ act: 'write', bytes })
    this.isFull ||= !this.#reads
    return this.#reads
  }

  end(): void {
    this.acts.push({ act: 'end' })
    this.#over = true
  }

  break(): void {
    this.acts.push({ act: 'break' })
    this.#over = true
    this.answered.resolve(new Response(null, { status: 503 }))
  }

  /** From now on writes find the buffer full. */
  stall(): void {
    this.#reads = false
  }

  /** Reads everything, and goes on reading. */
  drain(): void {
    this.#reads = true
    this.isFull = false
    this.on?.drained()
  }

  /** Closes the connection, unless the answer is over. */
  leave(): void {
    if (this.#over) return
    this.#over = true
    this.isGone = true
    this.on?.gone()
  }

  /** How the answer ended for the client. */
  get ended(): 'end' | 'break' | undefined {
    const act = this.acts.find((one) => one.act === 'end' || one.act === 'break')
    return act?.act === 'end' || act?.act === 'break' ? act.act : undefined
  }

  get status(): number | undefined {
    return this.#heads[0]?.status
  }

  get headers(): HeaderPairs {
    return this.#heads[0]?.headers ?? []
  }

  /** The body as far as it was written. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.acts.flatMap((act) => (act.act === 'write' ? [act.bytes] : [])))
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes)
  }

  /** What the client saw, for a comparison of the whole. */
  get seen(): { status: number | undefined; text: string; ended: 'end' | 'break' | undefined } {
    return { status: this.status, text: this.text, ended: this.ended }
  }

  get #heads(): Array<Extract<ClientAct, { act: 'head' }>> {
    return this.acts.filter((act) => act.act === 'head')
  }

  /** As a host hands a client's end to the gate. */
  get opened(): OpenedClient {
    return { client: this, response: this.answered.promise }
  }
}
