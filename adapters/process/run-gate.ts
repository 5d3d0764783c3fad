import { surviveClosedPipes } from './closed-pipes.ts'
import { loadConfig } from './load-config.ts'
import { explainListenError, startGate, type Runtime } from './start-gate.ts'
import { onStopSignal } from './stop-signals.ts'

/** Exit code for a configuration that cannot be used. */
const EXIT_CONFIG = 2

function warn(message: string): void {
  process.stderr.write(`swapgate: ${message}\n`)
}

/** Runs only the gate, until a signal: what `npm start` does. */
export async function runGate(runtime: Runtime): Promise<void> {
  surviveClosedPipes()
  const loaded = await loadConfig(process.env)
  if (!loaded.ok) {
    warn(loaded.message)
    process.exit(EXIT_CONFIG)
  }
  loaded.warnings.forEach(warn)
  const { config } = loaded
  try {
    const listening = await startGate(runtime, config, warn)
    onStopSignal(async () => {
      await listening.stop(config.timeouts.drainMs)
      return 0
    })
    process.stdout.write(`swapgate listening on ${listening.url}\n`)
  } catch (error) {
    warn(explainListenError(error, config.listen))
    process.exit(1)
  }
}
