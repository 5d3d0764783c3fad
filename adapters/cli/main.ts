#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { HELP } from '../../src/cli/help.ts'
import { newKeyText } from './new-key-text.ts'
import { EXIT, tell } from './outcome.ts'
import { parseCommand } from './parse-command.ts'
import { prepareRuntime } from './runtimes.ts'
import { start } from './start.ts'

const command = parseCommand(process.argv.slice(2))
switch (command.kind) {
  case 'start':
    await prepareRuntime()
    await start(command)
    break
  case 'new-key':
    process.stdout.write(await newKeyText(command))
    break
  case 'help':
    process.stdout.write(command.text)
    break
  case 'version':
    process.stdout.write(`swapgate ${version()}\n`)
    break
  case 'wrong':
    tell(`${command.message}\n\n${HELP.trimEnd()}`)
    process.exitCode = EXIT.usage
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version: number }: { version: string } = JSON.parse(text)
  return number
}
