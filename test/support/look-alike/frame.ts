/** A frame without an event name. */
export function dataFrame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** A frame named after the `type` of its data, as Anthropic's and OpenAI's Responses streams are. */
export function typedFrame(value: { type: string }): string {
  return `event: ${value.type}\n${dataFrame(value)}`
}

/** llama-server's error event on `/v1/messages`: named `error`, but not of Anthropic's shape. */
export function typedErrorFrame(error: { code: number; message: string; type: string }): string {
  return `event: error\n${dataFrame(error)}`
}
