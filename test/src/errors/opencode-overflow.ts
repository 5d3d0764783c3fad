/** The words by which OpenCode knows a prompt that is too long: it compacts the session and tries again. */
export const OPENCODE_OVERFLOWS: readonly RegExp[] = [
  /prompt is too long|request_too_large|input is too long for requested model/i,
  /exceeds the context window|exceeds (?:the )?(?:model's )?maximum context length/i,
  /maximum context length is \d+ tokens|reduce the length of the messages|exceeds the limit of \d+/i,
  /exceeds the available context size|greater than the context length/i,
  /context window exceeds limit|exceeded model token limit|context[_ ]length[_ ]exceeded/i,
  /request entity too large|context length is only \d+ tokens|input length.*exceeds.*context length/i,
  /prompt too long; exceeded (?:max )?context length|too large for model with \d+ maximum context/i,
  /prompt has [\d,]+ tokens, but the configured context size is [\d,]+ tokens/i,
  /model_context_window_exceeded|too many tokens|token limit exceeded/i,
]

/** The only words by which Claude Code knows one. */
export const CLAUDE_CODE_OVERFLOW = /prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)/
