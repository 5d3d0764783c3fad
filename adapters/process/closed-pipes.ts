/**
 * `npm start | tee log` and Ctrl-C: tee is gone first, and what is written from then on fails (EPIPE). Without a
 * listener that would end the process and cut the answers that still run.
 */
export function surviveClosedPipes(): void {
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
}
