import { field, parsedJson } from '../json/read-unknown.ts'

/** One model of `GET /running`. `command` and `server` may hold keys, paths and ports: never shown. */
export type RunningModel = {
  model: string
  state: string
  /** The command line that it was started with. */
  command: string | undefined
  /** Base URL of its own server. */
  server: string | undefined
  record: unknown
}

/** The models that llama-swap runs; undefined when the text is not such an answer. */
export function readRunning(text: string): RunningModel[] | undefined {
  const running = field(parsedJson(text), 'running')
  if (!Array.isArray(running)) return undefined
  return running.map((record) => ({
    model: String(field(record, 'model')),
    state: String(field(record, 'state')),
    command: textIn(record, 'cmd'),
    server: textIn(record, 'proxy'),
    record,
  }))
}

function textIn(record: unknown, name: string): string | undefined {
  const value = field(record, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}
