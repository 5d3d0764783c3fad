import { commandKey } from './command-key.ts'
import { field } from '../../json/read-unknown.ts'

/** A word whose last part is llama.cpp's server or its image. */
const LLAMA = /(?:^|[\s"'/\\])(?:llama-server|llama\.cpp)[^\s"'/\\]*(?=[\s"']|$)/i
const KEY = /(?:^|[\s"'])--api-key(?:-file)?[\s=]|LLAMA_API_KEY=/

/** What a description is compared by: a flag of llama-server, and the field of `/props` that repeats its value. */
const COMPARED = [
  { flag: /(?:^|[\s"'])(?:-m|--model)[ ](?:"([^"]+)"|'([^']+)'|([^\s"']+))/g, field: 'model_path' },
  {
    flag: /(?:^|[\s"'])(?:-a|--alias)[ ](?:"([^"]+)"|'([^']+)'|([^\s"']+))/g,
    field: 'model_alias',
  },
] as const

/**
 * Whether a model's server is worth asking for its `/props`: nothing of another program's answer could be believed. The
 * command is not divided into words here, which is done only where its file is read.
 */
export function isWorthAsking(command: string): boolean {
  return LLAMA.test(command) || valuesIn(command).length > 0
}

/** Whether a server that was started with this command wants a key. */
export function wantsKey(command: string): boolean {
  return KEY.test(command)
}

/**
 * Whether a description is that of the server with this command. Where llama-swap is on another machine, behind a tunnel
 * or in a container, its ports are other servers' on this one. By file name, as a container has its own folders.
 *
 * @param props what `/props` says, of unknown shape
 */
export function isOfCommand(props: unknown, command: string): boolean {
  const compared = valuesIn(command).flatMap(({ name, value }) => {
    const told = field(props, name)
    return typeof told === 'string' ? [{ told, value }] : []
  })
  if (compared.length > 0) return compared.every(({ told, value }) => isSame(told, value))
  const settings = field(props, 'default_generation_settings')
  return LLAMA.test(command) && field(settings, 'n_ctx') !== undefined
}

type Written = { name: string; value: string }

/** The last one counts; what stands before llama-server is of other programs, such as `numactl -m 0`. */
function valuesIn(command: string): Written[] {
  // Quotes in the text of a shell may stand behind a backslash.
  const text = commandKey(command).replace(/\\(?=["'])/g, '')
  const begin = LLAMA.exec(text)?.index ?? 0
  return COMPARED.flatMap(({ flag, field: name }) => {
    const last = [...text.slice(begin).matchAll(flag)].at(-1)
    const value = last?.[1] ?? last?.[2] ?? last?.[3]
    return value === undefined ? [] : [{ name, value }]
  })
}

/** An alias may be one of several, divided by commas. */
function isSame(told: string, value: string): boolean {
  const names = value.split(',').map(lastPart)
  return names.includes(lastPart(told)) || lastPart(value) === lastPart(told)
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? ''
}
