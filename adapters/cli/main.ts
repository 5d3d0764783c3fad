import { readFileSync } from 'node:fs'
import { HELP } from '../../src/cli/help.ts'
import { newKeyText } from './new-key-text.ts'
import { EXIT, tell, type Failure } from './outcome.ts'
import { parseCommand, type Command } from './parse-command.ts'

const asked = parseCommand(process.argv.slice(2))
// Whoever reads has enough, as "| head" has. A gate that runs takes no notice of that.
if (asked.kind !== 'start')
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })

const failure = await run(asked)
if (failure) {
  tell(failure.message)
  process.exitCode = failure.exitCode
}

/** Each command loads its own modules only: half of the time to start is reading them. */
async function run(command: Command): Promise<Failure | undefined> {
  switch (command.kind) {
    case 'start': {
      const { prepareRuntime } = await import('./runtimes.ts')
      const { start } = await import('./start.ts')
      await prepareRuntime()
      await start(command)
      return undefined
    }
    case 'new-key':
      process.stdout.write(await newKeyText(command))
      return undefined
    case 'opencode':
      return (await import('./opencode.ts')).opencode(command, process.env)
    case 'check':
      return check(command)
    case 'connect':
      return (await import('./connect.ts')).connect(command, process.env)
    case 'help':
      process.stdout.write(command.text)
      return undefined
    case 'version':
      process.stdout.write(`swapgate ${version()}\n`)
      return undefined
    case 'wrong':
      return {
        ok: false,
        exitCode: EXIT.usage,
        message: `${command.message}\n${moreHelp(command)}`,
      }
  }
}

function moreHelp({ of }: Extract<Command, { kind: 'wrong' }>): string {
  return of === undefined ? `\n${HELP.trimEnd()}` : `swapgate ${of} --help`
}

async function check(command: Extract<Command, { kind: 'check' }>): Promise<Failure | undefined> {
  const { check: look } = await import('./check.ts')
  const outcome = await look(command, process.env)
  if (!outcome.ok) return outcome
  process.exitCode = outcome.exitCode
  return undefined
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version: number }: { version: string } = JSON.parse(text)
  return number
}
