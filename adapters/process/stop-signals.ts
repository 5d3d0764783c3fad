import { createSignalReader } from './read-signal.ts'

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
  const read = createSignalReader(() => performance.now())
  const onSignal = (signal: NodeJS.Signals): void => {
    const asked = read(signal)
    if (asked === 'stop-at-once') process.exit(1)
    if (asked === 'stop') void stop(signal).then((code) => process.exit(code))
  }
  for (const signal of signals) process.on(signal, onSignal)
}
