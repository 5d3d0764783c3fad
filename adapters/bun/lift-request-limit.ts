/** Bun sends at most 256 requests at a time unless this variable says otherwise; the next one would wait unseen. */
const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'
/** The most that Bun takes. */
const MOST_REQUESTS = '65535'

const HINT = `swapgate: Bun sends at most 256 requests at a time; set ${VARIABLE}=${MOST_REQUESTS} for more.\n`

/**
 * Lets this process send more requests at a time. Bun reads the variable only when it starts, so the process is replaced by
 * itself, with the same id, arguments and streams: nothing may have been started yet. Returns where that is done or cannot be.
 */
export function liftRequestLimit(): void {
  if (process.env[VARIABLE] !== undefined) return
  const { execPath, execArgv, argv } = process
  const env = { ...process.env, [VARIABLE]: MOST_REQUESTS }
  try {
    process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], env)
  } catch {
    // Windows has no such call.
  }
  process.stderr.write(HINT)
}
