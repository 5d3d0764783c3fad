import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DemoLog } from './log.ts'
import type { DemoOptions } from './options.ts'
import type { Swapper } from './swapper.ts'

/** What lives as long as the server. */
export interface Demo {
  readonly options: DemoOptions
  readonly swapper: Swapper
  readonly log: DemoLog
  /** Where the server listens, such as `http://127.0.0.1:8080`. */
  readonly origin: () => string
}

/** One HTTP exchange. */
export interface Visit {
  readonly demo: Demo
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The decoded path, without the query. */
  readonly path: string
  readonly query: URLSearchParams
}

export type Handler = (visit: Visit) => void | Promise<void>
