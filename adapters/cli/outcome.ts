/** Exit codes, as `--help` lists them. */
export const EXIT = { stopped: 0, failed: 1, usage: 2 } as const

/** Why something did not work, in words for the person at the terminal. */
export type Failure = {
  ok: false
  exitCode: (typeof EXIT)['failed' | 'usage']
  message: string
  /** There is no such file, rather than a wrong one. */
  isMissing?: true
}

/** A value, or why there is none. */
export type Outcome<T> = ({ ok: true } & T) | Failure

/** Something that went wrong while running. */
export function failed(message: string): Failure {
  return { ok: false, exitCode: EXIT.failed, message }
}

/** Something that the user has to change first. */
export function misused(message: string): Failure {
  return { ok: false, exitCode: EXIT.usage, message }
}

/** A file that has to be there and is not. */
export function missing(message: string): Failure {
  return { ...misused(message), isMissing: true }
}

/** Tells the person at the terminal something; standard output is for what they asked for. */
export function tell(message: string): void {
  process.stderr.write(`swapgate: ${message}\n`)
}
