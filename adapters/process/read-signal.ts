/** What a signal asks for: to stop, to stop at once, or nothing that was not asked for already. */
export type Asked = 'stop' | 'stop-at-once' | 'nothing'

/** npm passes on what a terminal has told its whole group already, so that one Ctrl-C comes twice. */
const ECHO_MS = 500

/**
 * Tells a second Ctrl-C from an echo of the first one.
 *
 * @param now milliseconds of any clock
 */
export function createSignalReader(now: () => number): (signal: NodeJS.Signals) => Asked {
  let first: { signal: NodeJS.Signals; at: number } | undefined
  let hasEchoed = false
  return (signal) => {
    if (!first) {
      first = { signal, at: now() }
      return 'stop'
    }
    // A terminal that closes may tell so twice, through the kernel and the shell; nobody asked for haste.
    if (signal === 'SIGHUP') return 'nothing'
    const isEcho = !hasEchoed && signal === first.signal && now() - first.at < ECHO_MS
    hasEchoed ||= isEcho
    return isEcho ? 'nothing' : 'stop-at-once'
  }
}
