/**
 * Calls `stop` once on a signal and then lets the process end with what it gives. A second signal ends it at once.
 *
 * @param stop gives the exit code
 * @param signals those that mean "stop"
 */
export function onStopSignal(
  stop: (signal: string) => Promise<number>,
  signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'],
): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals): void => {
    // A terminal that closes may tell so twice, through the kernel and the shell; nobody asked for haste.
    if (stopping && signal === 'SIGHUP') return
    if (stopping) process.exit(1)
    stopping = true
    void stop(signal).then((code) => process.exit(code))
  }
  for (const signal of signals) process.on(signal, onSignal)
}
