/** What OpenCode looks for in the message and the body of an error: a match is retried five times, whatever the status. */
export const OPENCODE_RETRIES: readonly RegExp[] = [
  /429|500|502|503|504|524/,
  /rate increased too quickly|rate limit|rate-limit|rate_limit|too many requests/i,
  /overloaded|service unavailable|internal error|internal server error|server error|server_error|provider returned error/i,
  /terminated|fetch failed|network error|upstream connect|connection (?:error|refused|lost)|socket hang up/i,
  /econnrefused|econnreset|etimedout|enotfound/i,
  /^timeout$|(?:request|response|connection|network|stream|read) (?:timeout|timed out)/i,
  /try your request again|resource exhausted/i,
  /try again later|try again in|(?:currently|temporarily) at capacity/i,
]

/** One text for every branch of what OpenCode looks for. */
export const RETRY_TRIGGERS: readonly string[] = [
  '429',
  '500',
  '502',
  '503',
  '504',
  '524',
  'rate increased too quickly',
  'rate limit',
  'rate-limit',
  'rate_limit',
  'Too many requests',
  'overloaded',
  'Service Unavailable',
  'internal error',
  'internal server error',
  'server error',
  'server_error',
  'Provider returned error',
  'terminated',
  'fetch failed',
  'network error',
  'upstream connect',
  'connection error',
  'connection refused',
  'connection lost',
  'socket hang up',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENOTFOUND',
  'request timeout',
  'response timed out',
  'connection timeout',
  'network timed out',
  'stream timeout',
  'read timed out',
  'try your request again',
  'resource exhausted',
  'try again later',
  'try again in',
  'currently at capacity',
  'temporarily at capacity',
]

/** The parts of a text on which OpenCode retries. */
export function retryTriggersIn(text: string): string[] {
  return OPENCODE_RETRIES.flatMap((pattern) => pattern.exec(text)?.[0] ?? [])
}
