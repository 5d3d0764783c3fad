import { CountersUnavailable } from '../../src/errors/counters-unavailable.ts'
import { retryOnce } from './retry-once.ts'
import { withinTime, type Patience } from './within-time.ts'

/** What a Durable Object answers. Rejects with `CountersUnavailable` where it throws or takes too long. */
export async function askObject<T>(question: () => Promise<T>, patience: Patience): Promise<T> {
  try {
    return await withinTime(retryOnce(question), patience)
  } catch (error) {
    throw new CountersUnavailable(error)
  }
}
