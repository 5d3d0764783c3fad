/** One HTTP request of an SDK. Times are those of `performance.now()`. */
export type Attempt = {
  path: string
  at: number
  /** The head of the answer and when it had come; undefined when none came. */
  answer?: { at: number; status: number; headers: Headers }
}

/** A fetch that notes what goes through it: what an SDK calls one question can be several requests. */
export function recordAttempts(): { attempts: Attempt[]; fetch: typeof fetch } {
  const attempts: Attempt[] = []
  return {
    attempts,
    async fetch(input, init) {
      const request = new Request(input, init)
      const attempt: Attempt = { path: new URL(request.url).pathname, at: performance.now() }
      attempts.push(attempt)
      const response = await fetch(request)
      const { status, headers } = response
      attempt.answer = { at: performance.now(), status, headers }
      return response
    },
  }
}

/** The statuses that were answered, in order. */
export function statusesOf(attempts: readonly Attempt[]): (number | undefined)[] {
  return attempts.map(({ answer }) => answer?.status)
}

/** How long an SDK waited after each answer before it asked again, in milliseconds. */
export function waitsOf(attempts: readonly Attempt[]): number[] {
  return attempts.slice(1).map(({ at }, i) => at - (attempts[i]?.answer?.at ?? Number.NaN))
}
