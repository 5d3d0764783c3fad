/** How a route's event stream is framed and how it says that it is finished (facts: one terminator each). */
export type StreamFormat = 'chat' | 'responses' | 'messages' | 'native'

const FINISHED: Record<StreamFormat, RegExp> = {
  // OpenAI chat and completions: the [DONE] line, or a choice that names its finish_reason.
  chat: /^data: ?\[DONE\]|"finish_reason" ?: ?"/m,
  responses: /"type" ?: ?"response\.(?:completed|incomplete|failed)"/,
  messages: /^event: ?message_stop|"type" ?: ?"message_stop"/m,
  // llama.cpp's own /completion and /infill.
  native: /"stop" ?: ?true/,
}

const ERROR_FRAME = /^event: ?error|^data: ?\{ ?"(?:error"|type" ?: ?"error")/m

/**
 * Tells from the last frames of a stream how it ended. JSON escapes quotes and line breaks inside strings, so text
 * that a model writes can never look like a terminator.
 *
 * @returns `finished` with the format's terminator, `failed` with an error frame, `cut` with neither
 */
export function endingOf(format: StreamFormat, tail: string): 'finished' | 'failed' | 'cut' {
  if (FINISHED[format].test(tail)) return 'finished'
  return ERROR_FRAME.test(tail) ? 'failed' : 'cut'
}
