/** How a route's event stream is framed and how it says that it is finished. */
export type StreamFormat = 'chat' | 'responses' | 'messages' | 'native'

// Lines begin after CR or LF only (HTML §9.2.6); /^/m would also take U+2028, which a model may write into JSON unescaped.
const FINISHED: Record<StreamFormat, RegExp> = {
  // OpenAI chat and completions: the [DONE] line; see also isLastChoiceFinished.
  chat: /(?<![^\r\n])data: ?\[DONE\]/,
  responses: /"type" ?: ?"response\.(?:completed|incomplete|failed)"/,
  messages: /(?<![^\r\n])event: ?message_stop|"type" ?: ?"message_stop"/,
  // llama.cpp's own /completion and /infill.
  native: /"stop" ?: ?true/,
}

const ERROR_FRAME = /(?<![^\r\n])(?:event: ?error|data: ?\{ ?"(?:error"|type" ?: ?"error"))/

/**
 * Tells from the last frames of a stream how it ended. JSON escapes quotes and line breaks inside strings, so text
 * that a model writes can never look like a terminator.
 *
 * @returns `finished` with the format's terminator, `failed` with an error frame, `cut` with neither
 */
export function endingOf(format: StreamFormat, tail: string): 'finished' | 'failed' | 'cut' {
  if (FINISHED[format].test(tail)) return 'finished'
  if (format === 'chat' && isLastChoiceFinished(tail)) return 'finished'
  return hasErrorFrame(tail) ? 'failed' : 'cut'
}

/** Whether frames tell an error, in the form of either dialect. */
export function hasErrorFrame(frames: string): boolean {
  return ERROR_FRAME.test(frames)
}

/** Without [DONE], the last choice must name its finish_reason: with n above 1 an earlier one may be finished alone. */
function isLastChoiceFinished(tail: string): boolean {
  const last = [...tail.matchAll(/"finish_reason" ?: ?(null|"[^"]*")/g)].at(-1)?.[1]
  return last !== undefined && last !== 'null' && last !== '""'
}
