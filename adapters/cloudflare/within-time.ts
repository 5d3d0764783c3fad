import type { Clock } from '../../src/deps.ts'

/** How long a Durable Object may take for an answer. */
export type Patience = { ms: number; clock: Pick<Clock, 'setTimer'> }

/** Within 10 s an object answers, moves or is started again; one that does not is stuck. */
export const PATIENCE_MS = 10_000

/** What a Durable Object answers, or an error where it takes too long: the platform would wait for it without limit. */
export function withinTime<T>(answer: Promise<T>, { ms, clock }: Patience): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.setTimer(ms, () =>
      reject(new Error(`a Durable Object did not answer within ${ms / 1000} s`)),
    )
    const answered = (tell: () => void): void => {
      cancel()
      tell()
    }
    answer.then(
      (value) => answered(() => resolve(value)),
      (error: unknown) => answered(() => reject(error)),
    )
  })
}
