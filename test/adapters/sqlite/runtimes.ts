import { firstExisting } from '../../harness.ts'
import { denoProgram } from '../../support/deno-program.ts'

/** The runtimes that bring SQLite along, and how each runs a program. */
export const RUNTIMES: ReadonlyArray<[name: string, program: string, ...args: string[]]> = [
  ['bun', firstExisting('node_modules/bun/bin/bun.exe', 'bun')],
  ['deno', denoProgram(), 'run', '--no-prompt', '--allow-read', '--allow-write', '--allow-env'],
  ['node', process.execPath],
]

export const PROGRAMS = 'test/adapters/sqlite/programs'
