import { parseArgs, type ParseArgsConfig } from 'node:util'
import { CHECK_HELP, CONNECT_HELP, OPENCODE_HELP } from '../../src/cli/client-help.ts'
import { HELP, NEW_KEY_HELP, START_HELP } from '../../src/cli/help.ts'
import { didYouMean } from '../../src/config/did-you-mean.ts'
import type { CheckOptions } from './check.ts'
import type { ConnectOptions } from './connect.ts'
import type { OpencodeOptions } from './opencode.ts'
import {
  CLIENT_OPTIONS,
  readCheck,
  readConnect,
  readOpencode,
  type Read,
  type Words,
} from './read-client-command.ts'

/** What a command line asks for. */
export type Command =
  | { kind: 'start'; demo: boolean }
  | { kind: 'new-key'; id: string | undefined; edge: boolean }
  | ({ kind: 'opencode' } & OpencodeOptions)
  | ({ kind: 'check' } & CheckOptions)
  | ({ kind: 'connect' } & ConnectOptions)
  | { kind: 'help'; text: string }
  | { kind: 'version' }
  /** `of`: the command that was meant, where that much is clear. */
  | { kind: 'wrong'; message: string; of?: string }

type Options = NonNullable<ParseArgsConfig['options']>
type Shape = {
  options: Options
  /** How many words it takes beside its options; none where it is not said. */
  words?: number
  help: string
  read(words: Words): Command
}

const COMMANDS: Record<string, Shape> = {
  start: {
    options: { demo: { type: 'boolean' } },
    help: START_HELP,
    read: ({ values }) => ({ kind: 'start', demo: values['demo'] === true }),
  },
  'keys new': {
    options: { id: { type: 'string' }, edge: { type: 'boolean' } },
    help: NEW_KEY_HELP,
    read: ({ values: { id, edge } }) =>
      readNewKey(typeof id === 'string' ? id : undefined, edge === true),
  },
  opencode: {
    options: {
      ...CLIENT_OPTIONS,
      write: { type: 'boolean' },
      global: { type: 'boolean' },
      provider: { type: 'string' },
    },
    words: 1,
    help: OPENCODE_HELP,
    read: (words) => asCommand('opencode', readOpencode(words)),
  },
  check: {
    options: { ...CLIENT_OPTIONS, fix: { type: 'boolean' }, json: { type: 'boolean' } },
    words: 2,
    help: CHECK_HELP,
    read: (words) => asCommand('check', readCheck(words)),
  },
  connect: {
    options: { ...CLIENT_OPTIONS, model: { type: 'string' } },
    words: 1,
    help: CONNECT_HELP,
    read: (words) => asCommand('connect', readConnect(words)),
  },
}

/** An address with its scheme or its port; what stands behind it may be anything, and is not repeated. */
const ADDRESS =
  /^(?:(?<scheme>https?:\/\/)(?<host>[\w.-]+(?::\d{1,5})?)|(?<host>[\w.-]+:\d{1,5}))(?:\/\S*)?$/i

const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/

/** Reads the words after the program's name. The command comes first, its options follow. */
export function parseCommand(args: string[]): Command {
  const [first] = args
  if (first === undefined) return wrong('say what to do')
  if (first === '--help' || first === '-h') return { kind: 'help', text: HELP }
  if (first === '--version') return { kind: 'version' }
  if (first.startsWith('-'))
    return wrong(unknown('option', first, didYouMean(first, ['--help', '--version'])))
  const names = Object.keys(COMMANDS)
  const name = names.find((known) => known.split(' ').every((word, i) => args[i] === word))
  if (name !== undefined) {
    const command = parseOptions(COMMANDS[name]!, args.slice(name.split(' ').length))
    return command.kind === 'wrong' ? { ...command, of: name } : command
  }
  const begins = new Map(names.map((known) => [known.split(' ')[0]!, known]))
  const words = args.filter((arg) => !arg.startsWith('-')).slice(0, 2)
  const meant = begins.get(didYouMean(first, begins.keys()) ?? '')
  return wrong(unknown('command', words.join(' '), meant))
}

function parseOptions(shape: Shape, args: string[]): Command {
  const options: Options = { ...shape.options, help: { type: 'boolean', short: 'h' } }
  // Not strict: its messages know no "did you mean".
  const { tokens } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const { values, rest }: Words = { values: {}, rest: [] }
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      const problem = problemWithWord(token.value, rest.length < (shape.words ?? 0), options)
      if (problem !== undefined) return wrong(problem)
      rest.push(token.value)
      continue
    }
    const problem = problemWith(token, options)
    if (problem !== undefined) return wrong(problem)
    values[token.name] = token.value ?? true
  }
  return values['help'] === true ? { kind: 'help', text: shape.help } : shape.read({ values, rest })
}

function asCommand<K extends Command['kind'], T extends object>(
  kind: K,
  read: Read<T>,
): Command | (T & { kind: K }) {
  return read.ok ? { kind, ...read.options } : wrong(read.message)
}

function problemWithWord(word: string, isWanted: boolean, options: Options): string | undefined {
  const address = ADDRESS.exec(word)?.groups
  if (address && 'url' in options)
    return `to ask the gate there: --url ${address['scheme'] ?? 'http://'}${address['host']}`
  return isWanted ? undefined : `unexpected "${word}"`
}

type OptionToken = { name: string; rawName: string } & (
  | { value: string; inlineValue: boolean }
  | { value: undefined; inlineValue: undefined }
)

function problemWith(token: OptionToken, options: Options): string | undefined {
  const { name, rawName, value } = token
  const known = Object.hasOwn(options, name) ? options[name] : undefined
  const names = Object.keys(options).map((option) => `--${option}`)
  if (!known) return unknown('option', rawName, didYouMean(rawName, names))
  if (known.type === 'boolean') return value === undefined ? undefined : `${rawName} takes no value`
  // "--id --help" is a value that was forgotten, not a key of that name.
  const isForgotten = !value || (!token.inlineValue && value.startsWith('-'))
  return isForgotten ? `${rawName} needs a value` : undefined
}

function readNewKey(id: string | undefined, edge: boolean): Command {
  if (id === undefined || KEY_ID.test(id)) return { kind: 'new-key', id, edge }
  return wrong(`--id must be 1 to 64 letters, digits, ".", "_" or "-", not "${id}"`)
}

function unknown(what: 'command' | 'option', given: string, meant: string | undefined): string {
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
  return `unknown ${what} "${given}".${hint}`
}

function wrong(message: string): Command {
  return { kind: 'wrong', message }
}
