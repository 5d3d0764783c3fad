import type { Clock } from '../../src/deps.ts'

/** Within 10 s an object answers, moves or is started again; one that does not is stuck. */
const PATIENCE_MS = 10_000

/** What a Durable Object answers, or an error where it takes too long: the platform would wait for it without limit. */
export function withinTime<T>(answer: Promise<T>, clock: Pick<Clock, 'setTimer'>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.setTimer(PATIENCE_MS, () =>
      reject(new Error(`a Durable Object did not answer within ${PATIENCE_MS / 1000} s`)),
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
