const ASK_EVERY_MS = 100
/** One question may hang while the program is still busy with starting. */
const ONE_ANSWER_WITHIN_MS = 2_000
const TELL_EVERY_MS = 5_000

/** How long to wait, and whom to tell that it takes a while. */
export type Patience = {
  withinMs: number
  /** When to stop waiting early. */
  isOver(): boolean
  onWaiting(seconds: number): void
}

/** Asks `GET /health` until anything answers. False when nothing does in time. */
export async function waitForAnswer(url: string, patience: Patience): Promise<boolean> {
  const start = performance.now()
  let toldAt = start
  while (!patience.isOver()) {
    if (await answers(url)) return true
    const now = performance.now()
    if (now - start >= patience.withinMs) return false
    if (now - toldAt >= TELL_EVERY_MS) {
      toldAt = now
      patience.onWaiting(Math.round((now - start) / 1000))
    }
    await new Promise((resolve) => {
      setTimeout(resolve, ASK_EVERY_MS)
    })
  }
  return false
}

/** Whether anything answers `GET /health` now, with whatever status. */
export async function answers(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ONE_ANSWER_WITHIN_MS)
    const response = await fetch(`${url}/health`, { signal, redirect: 'manual' })
    // Any status will do: older versions guard this path when they have keys.
    await response.body?.cancel()
    return true
  } catch {
    return false
  }
}
