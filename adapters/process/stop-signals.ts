/**
 * Calls `stop` once on SIGINT or SIGTERM and then lets the process end with what it gives. A second signal ends it at once.
 *
 * @param stop gives the exit code
 */
export function onStopSignal(stop: (signal: string) => Promise<number>): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1)
    stopping = true
    void stop(signal).then((code) => process.exit(code))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
