import { firstExisting } from '../../harness.ts'

/** The runtimes that bring SQLite along, and how each runs a program. */
export const RUNTIMES: ReadonlyArray<[name: string, program: string, ...args: string[]]> = [
  ['bun', firstExisting('node_modules/bun/bin/bun.exe', 'bun')],
  [
    'deno',
    firstExisting('node_modules/@deno/linux-x64-glibc/deno', 'deno'),
    'run',
    '--no-prompt',
    '--allow-read',
    '--allow-write',
    '--allow-env',
  ],
  ['node', process.execPath],
]

export const PROGRAMS = 'test/adapters/sqlite/programs'
