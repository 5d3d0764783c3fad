const KEEP_LINES = 500

/** The last lines of what happened, for `GET /logs`. Prompts never go in. */
export class DemoLog {
  readonly #lines: string[] = []

  /** Adds one line and drops the oldest when there are too many. */
  add(line: string): void {
    this.#lines.push(`[INFO] ${line}\n`)
    if (this.#lines.length > KEEP_LINES) this.#lines.shift()
  }

  /** All kept lines, oldest first. */
  text(): string {
    return this.#lines.join('')
  }
}
