import { createWorker } from './create-worker.ts'

// The platform finds the classes of Durable Objects among the exports of the entry.
export { LimitObject } from './limit-object.ts'
export { UsageObject } from './usage-object.ts'

/** The gate with its configuration in the secret `CONFIG`. */
export default createWorker()
