/**
 * Asks a Durable Object once more where the platform says that this helps: it moved, or a new version of the Worker
 * replaced it. The first time may have been done all the same, so what is asked must bear to be done twice.
 */
export async function retryOnce<T>(ask: (isAgain: boolean) => Promise<T>): Promise<T> {
  try {
    return await ask(false)
  } catch (error) {
    if (isWorthARetry(error)) return ask(true)
    throw error
  }
}

/** `retryable` and `overloaded` are properties of the errors that calls of Durable Objects reject with. */
function isWorthARetry(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const isOverloaded = 'overloaded' in error && error.overloaded === true
  return 'retryable' in error && error.retryable === true && !isOverloaded
}
