import type { HeaderPairs, HostBindings } from '../deps.ts'
import { dialectOf } from '../dialects/dialect-of.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { loggableModel, loggablePath } from '../log/loggable.ts'
import type { Outcome, RequestEvent } from '../log/request-event.ts'
import type { Standing } from '../limit/limit-store.ts'
import type { Route } from '../routes/route-table.ts'
import type { TokenCounts } from '../usage/record.ts'

/** How a request ended, as far as its log event needs it. */
export type Ending = {
  outcome: Outcome
  status: number
  reason?: string | undefined
  firstByteAt?: number | undefined
  bytesOut?: number
}

/** What is known of one request from its first moment; filled in on the way, logged once. */
export class RequestScope {
  readonly requestId: string
  readonly acceptedAt: number
  readonly method: string
  readonly path: string
  readonly dialect: Dialect
  /** The client's address, as far as it is known and believed. */
  clientAddress: string | undefined
  /** Fields that every answer of the gate carries. */
  ownHeaders: HeaderPairs
  /** The id of the request at the gate in front of this one. */
  edgeRequestId: string | undefined
  keyId: string | undefined
  /** The key that was presented, where `keyId` names whom another gate told. */
  ownKeyId: string | undefined
  model: string | undefined
  /** The id of the model, where the request named it by another name. */
  modelId: string | undefined
  route: Route | undefined
  /** What is left of the key's limits after this request. */
  standing: Standing | undefined
  /** How long it waited for its turn. */
  queueMs: number | undefined
  tokens: TokenCounts | undefined
  reason: string | undefined
  /** The gate itself says no, whatever the status. */
  isRefused = false
  bytesIn = 0
  bytesOut = 0
  // The client was gone before there was anything to answer.
  hasClientLeft = false
  // An answer that the relay writes is not over when the handlers are: whoever knows the end logs it.
  isRelayed = false

  constructor(request: { method: string; path: string; acceptedAt: number }, host: HostBindings) {
    this.requestId = crypto.randomUUID()
    this.acceptedAt = request.acceptedAt
    this.method = request.method
    this.path = request.path
    this.dialect = dialectOf(request.path)
    this.clientAddress = host.clientAddress
    // Anthropic's SDK reads request-id, OpenAI's x-request-id. Never in a body: OpenCode retries on its digits.
    this.ownHeaders = [
      ['x-request-id', this.requestId],
      ['request-id', this.requestId],
    ]
  }

  /** The log event of this request, which ended now. */
  eventFor(ending: Ending, now: number): RequestEvent {
    const { firstByteAt } = ending
    return {
      at: this.acceptedAt,
      requestId: this.requestId,
      edgeRequestId: this.edgeRequestId,
      method: this.method,
      path: loggablePath(this.path),
      keyId: this.keyId,
      model: loggableModel(this.modelId ?? this.model),
      status: ending.status,
      outcome: ending.outcome,
      reason: ending.reason ?? this.reason,
      queueMs: this.queueMs,
      promptTokens: this.tokens?.prompt,
      cachedTokens: this.tokens?.cached,
      completionTokens: this.tokens?.completion,
      ttftMs: firstByteAt === undefined ? undefined : firstByteAt - this.acceptedAt,
      durationMs: now - this.acceptedAt,
      bytesIn: this.bytesIn,
      bytesOut: ending.bytesOut ?? this.bytesOut,
      clientAddress: this.clientAddress,
    }
  }
}
