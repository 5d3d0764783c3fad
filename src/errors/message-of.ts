import type { GateError, TokenNeed } from './gate-error.ts'
import { shortText } from './short-text.ts'

/**
 * OpenCode retries whatever error text matches these, without word boundaries, so a final refusal that held
 * "qwen-500b" would be sent five more times. A number that contains one of them is left out of such messages.
 */
const LIKE_A_STATUS = /429|500|502|503|504|524/

/** The words on which OpenCode retries, found anywhere in an error's message or body ("unterminated" holds one, too). */
const RETRY_WORDS = new RegExp(
  [
    'rate increased too quickly|rate[ _-]limit|too many requests|overloaded|service unavailable',
    'internal (?:server )?error|server[ _]error|provider returned error|terminated|fetch failed',
    'network error|upstream connect|connection (?:error|refused|lost)|socket hang up',
    'econnrefused|econnreset|etimedout|enotfound|^timeout$',
    '(?:request|response|connection|network|stream|read) (?:timeout|timed out)',
    'try your request again|resource exhausted|try again (?:later|in)',
    '(?:currently|temporarily) at capacity',
  ].join('|'),
  'gi',
)

/** JSON writes these as an escape with digits of its own, and a terminal may obey them. */
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\p{Cs}]/gu

/** Text for a refusal that must not be retried: every number that holds a retryable status becomes `#`. */
export function withoutStatusDigits(text: string): string {
  // Whole numbers first: one pattern for both takes time by the square of a client's digits.
  return text.replace(/\d+/g, (number) => (LIKE_A_STATUS.test(number) ? '#' : number))
}

/** Text of others, a client's or upstream's, for a refusal that must not be retried. */
export function withoutRetryTriggers(text: string): string {
  return withoutStatusDigits(text).replace(UNPRINTABLE, '\ufffd').replace(RETRY_WORDS, '…')
}

/**
 * What a refusal says, with the next step. Final refusals hold no digits and none of the words on which OpenCode
 * retries ("rate limit", "overloaded", "service unavailable", "timeout", "try again later").
 */
export function messageOf(error: GateError): string {
  switch (error.kind) {
    case 'credential-missing':
      return 'No API key received. Send "Authorization: Bearer <key>" or "x-api-key: <key>"; is the variable that holds the key set in this shell?'
    case 'credential-malformed':
      return 'The API key header is malformed. It must read "Authorization: Bearer <key>" with one key, or "x-api-key: <key>".'
    case 'credential-unknown':
      return 'This API key is not known here. Check it for a missing character, or ask the owner of the gate for a key.'
    case 'credentials-conflict':
      return 'Two different API keys in one request. Send one, in Authorization or in x-api-key.'
    case 'basic-not-here':
      return 'A user name and password open the admin pages only. Send "Authorization: Bearer <key>" here.'
    case 'key-expired':
      return 'This API key has expired. Ask the owner of the gate for a new one.'
    case 'key-disabled':
      return 'This API key is disabled. Ask the owner of the gate.'
    case 'scope-missing':
      return `This API key lacks the scope ${error.needed.map((scope) => `"${scope}"`).join(' or ')} that this path needs. The owner of the gate can add it to the key in config.json.`
    case 'cross-site':
      return 'This request did not come from a page of this gate. Open it from the gate\'s own pages, or send the key as "Authorization: Bearer <key>".'
    case 'model-missing':
      return 'No model named. Set "model" to one of the ids that GET /v1/models lists.'
    case 'model-unknown':
      return unknownModelMessage(error.model, error.suggestion)
    case 'prompt-too-long':
      return error.message
    case 'overflow-loop':
      return 'This session is stuck: again and again its prompt did not fit into the model, also after it was compacted. What is always sent takes the space. Shorten AGENTS.md or CLAUDE.md, turn off MCP tools, or choose a model with more room, then start a new session.'
    case 'limit-reached':
      return limitMessageOf(error)
    case 'key-queue-full':
      return 'Rate limit: as many requests of this key are waiting as may wait (limits.waiting). Try again when one of them has ended.'
    case 'queue-full':
      return 'The queue in front of the models is full (queue.maxWaiting). Try again in a moment.'
    case 'waited-too-long':
      return 'This request did not get its turn within the time set by queue.maxWaitMs. Try again.'
    case 'model-not-loaded':
      return notLoadedMessage(error.model)
    case 'draining':
      return 'This gate is being stopped. Try again when it is back.'
    case 'counters-unavailable':
      return 'This gate cannot reach its counters of limits and usage right now, and lets nothing through without them. Try again in a moment.'
    default:
      return isAboutForm(error) ? formMessageOf(error) : upstreamMessageOf(error)
  }
}

const FORM_KINDS = [
  'bad-host',
  'bad-path',
  'bad-request',
  'body-too-large',
  'body-encoded',
  'request-too-slow',
  'loop',
  'upgrade-refused',
  'method-not-allowed',
  'route-unknown',
] as const
type AboutForm = Extract<GateError, { kind: (typeof FORM_KINDS)[number] }>

function isAboutForm(error: AboutForm | AboutUpstream): error is AboutForm {
  return FORM_KINDS.some((kind) => kind === error.kind)
}

/** What is said about the form of a request and the way that it came. */
function formMessageOf(error: AboutForm): string {
  switch (error.kind) {
    case 'bad-host':
      return 'The Host header of the request is missing or malformed.'
    case 'bad-path':
      return 'No such path. Paths are matched exactly: no percent escapes, empty or dot segments.'
    case 'bad-request':
      return withoutRetryTriggers(error.detail)
    case 'body-too-large':
      return 'The request body is larger than this gate accepts (body.maxBytes in config.json).'
    case 'body-encoded':
      return 'Compressed request bodies are not accepted. Send the body without Content-Encoding.'
    case 'request-too-slow':
      return 'The request did not arrive whole within the time set by timeouts.requestBodyMs in config.json, or nothing of it came for a minute.'
    case 'loop':
      return 'This request has come through this gate before, or through too many gates. The owner must point upstream.url at llama-swap, or at the gate that is nearer to it.'
    case 'upgrade-refused':
      return 'WebSockets are not served here. Use plain HTTP requests; streams come as server-sent events.'
    case 'method-not-allowed':
      return `This path answers ${error.allow.join(', ')} only.`
    case 'route-unknown':
      return 'No such path. The API is below /v1, for example POST /v1/chat/completions or GET /v1/models.'
  }
}

type AboutUpstream = Extract<
  GateError,
  { kind: `upstream-${string}` | `model-load${string}` | 'stream-cut' | 'internal' }
>

function upstreamMessageOf(error: AboutUpstream): string {
  switch (error.kind) {
    case 'upstream-unreachable':
      return 'The model server behind this gate is not reachable. It may be starting; the owner of the gate can see why in its log.'
    case 'upstream-broken':
      return 'The model server broke the connection before it answered.'
    case 'upstream-not-llama-swap':
      return 'What answers behind this gate does not answer as llama-swap does. The owner must point UPSTREAM_URL at llama-swap itself, without /v1; if a tunnel on the way asks for a service token, it belongs into upstream.headers.'
    case 'upstream-timeout':
      return 'The model server did not answer in time (timeouts.upstreamHeadersMs; for a list ten seconds).'
    case 'upstream-busy':
      return 'The model server has no free place for this model right now.'
    case 'upstream-key-refused':
      return 'The model server refused the key of this gate (not yours). The owner must set upstream.apiKey (UPSTREAM_API_KEY) to a key of llama-swap, or of the gate in front of it.'
    case 'model-loading':
      return 'The model is being loaded.'
    case 'model-load-failed':
      return 'The model could not be loaded. The owner of the gate can see why in the log of llama-swap.'
    case 'upstream-refused':
      return error.status < 500 ? withoutRetryTriggers(error.message) : error.message
    case 'stream-cut':
      return 'The model server ended the stream before the answer was complete.'
    case 'internal':
      return 'The gate failed on this request. Its log holds the request id of this answer.'
  }
}

function dayMessageOf({ needed, left = 0 }: TokenNeed): string {
  if (left === 0)
    return 'This key has used what it may use in a day (limits.tokensPerDay). It may go on at midnight; the owner of the gate can raise the limit.'
  return withoutStatusDigits(
    `This request needs about ${shortly(needed)} tokens, and of those that this key may use in a day (limits.tokensPerDay) ${shortly(left)} are left. The count begins anew at midnight; a smaller request may pass before.`,
  )
}

/** A number with as few digits as tell enough: 15k, 4.3k, 980. */
function shortly(count: number): string {
  return count < 1000 ? String(count) : `${Math.round(count / 100) / 10}k`
}

type LimitReached = Extract<GateError, { kind: 'limit-reached' }>

/** The words "rate limit" tell OpenCode to wait; what is final until midnight must not hold them. */
function limitMessageOf({ limit, retryAfterMs, tokens }: LimitReached): string {
  const wait = withoutStatusDigits(`${Math.ceil(retryAfterMs / 100) / 10}`)
  switch (limit) {
    case 'requests-per-minute':
      return `Rate limit: requests of this key come faster than limits.requestsPerMinute and limits.burst allow. The next one may come in ${wait} s.`
    case 'tokens-per-minute':
      return `Rate limit: this request needs about ${tokens.needed} tokens, and this key has not so many left of this minute's (limits.tokensPerMinute). There are enough in ${wait} s.`
    case 'tokens-per-day':
      return dayMessageOf(tokens)
    case 'concurrent':
      return 'Rate limit: as many requests of this key are running and waiting as may run and wait at the same time (limits.concurrent, limits.waiting).'
  }
}

function notLoadedMessage(model: string): string {
  return withoutRetryTriggers(
    `The model "${shortText(model)}" is not loaded, and this key may not have it loaded now (its "swap" in config.json). It can be used when somebody else has it loaded.`,
  )
}

/** The one text for a model that is not there and for one that the key may not use: no oracle. */
function unknownModelMessage(model: string, suggestion: string | undefined): string {
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`
  return withoutRetryTriggers(
    `Unknown model "${shortText(model)}".${hint} GET /v1/models lists what this key may use.`,
  )
}
