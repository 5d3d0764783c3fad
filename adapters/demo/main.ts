import process from 'node:process'
import { readSettings } from './options.ts'
import { createDemoServer, originOf } from './server.ts'

/** Starts the demo upstream and stops it on SIGTERM or SIGINT. */
function main(): void {
  const settings = readSettings(process.env)
  if (!settings.ok) return fail(settings.message)

  const { host, port } = settings
  const server = createDemoServer(settings.demo)
  server.on('error', (error: Error & { code?: string }) => {
    fail(error.code === 'EADDRINUSE' ? `port ${port} on ${host} is already in use` : error.message)
  })
  server.listen(port, host, () => {
    console.log(`demo upstream listening on ${originOf(server)}`)
  })

  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (process.env['DEMO_ENDS_WITH_STDIN']) endWithStdin()
}

/** Nothing here is worth draining; exiting also closes the port and whatever is connected. */
function stop(): void {
  process.exit(0)
}

/** Whoever started it holds the other end; the system closes that, however they end. */
function endWithStdin(): void {
  process.stdin.on('end', stop)
  process.stdin.on('error', stop)
  process.stdin.resume()
}

function fail(message: string): void {
  console.error(`demo upstream: ${message}`)
  process.exit(1)
}

main()
