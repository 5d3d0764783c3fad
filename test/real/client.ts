import { setTimeout as sleep } from 'node:timers/promises'

/** One frame of an event stream; `data` is still text because `[DONE]` is no JSON. */
export interface StreamEvent {
  event?: string
  data: string
}

/** Posts JSON as a client that opens a connection for each request. */
export function postJson(
  url: string,
  body: unknown,
  init: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    // llama-server closes kept-alive connections behind streams, and every other request on one would fail.
    headers: { 'content-type': 'application/json', connection: 'close', ...init.headers },
    body: JSON.stringify(body),
    ...(init.signal && { signal: init.signal }),
  })
}

/** Reads frames as they arrive, so that a test can stop in the middle of an answer. */
export async function* readEvents(
  response: Response,
): AsyncGenerator<StreamEvent, void, undefined> {
  if (!response.body) throw new Error('expected a body')
  let rest = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split(/\r?\n\r?\n/)
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const event = parseFrame(frame)
      if (event) yield event
    }
  }
  if (rest !== '') throw new Error(`the stream ended within a frame: ${rest}`)
}

export async function readAllEvents(response: Response): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readEvents(response)) events.push(event)
  return events
}

function parseFrame(frame: string): StreamEvent | undefined {
  const lines = frame.split(/\r?\n/)
  const valuesOf = (field: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trim())
  const data = valuesOf('data')
  // A frame of comments only is a heartbeat.
  if (data.length === 0) return undefined
  const [event] = valuesOf('event')
  return { data: data.join('\n'), ...(event !== undefined && { event }) }
}

/** Waits for a state that comes by itself, such as a slot that becomes free. */
export async function eventually(
  what: string,
  isSo: () => Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(20)
  }
}
