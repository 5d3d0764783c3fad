/** Runs something while one warning of the process, known by its exact text, is kept back; all others are told. */
export async function withoutWarning<T>(text: string, run: () => Promise<T>): Promise<T> {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (warning !== text) Reflect.apply(emitWarning, undefined, [warning, ...rest])
  }
  try {
    return await run()
  } finally {
    process.emitWarning = emitWarning
  }
}
