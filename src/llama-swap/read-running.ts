import { field } from './read-unknown.ts'

/** One model of `GET /running`. */
export type RunningModel = { model: string; state: string; record: unknown }

/** The models that llama-swap runs; undefined when the text is not such an answer. */
export function readRunning(text: string): RunningModel[] | undefined {
  const running = field(parsed(text), 'running')
  if (!Array.isArray(running)) return undefined
  return running.map((record) => ({
    model: String(field(record, 'model')),
    state: String(field(record, 'state')),
    record,
  }))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
