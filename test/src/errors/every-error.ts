import type { GateError } from '../../../src/errors/gate-error.ts'

type Samples = {
  [Kind in GateError['kind']]: readonly [
    Extract<GateError, { kind: Kind }>,
    ...Array<Extract<GateError, { kind: Kind }>>,
  ]
}

/** At least one refusal of every kind, so that a new kind without a sample does not compile. */
const SAMPLES: Samples = {
  'bad-host': [{ kind: 'bad-host' }],
  'bad-path': [{ kind: 'bad-path' }],
  'bad-request': [
    { kind: 'bad-request', detail: 'The body must be one JSON object.' },
    { kind: 'bad-request', detail: '"model" must be a string.', param: 'model' },
  ],
  'body-too-large': [{ kind: 'body-too-large' }],
  'body-encoded': [{ kind: 'body-encoded' }],
  'request-too-slow': [{ kind: 'request-too-slow' }],
  loop: [{ kind: 'loop' }],
  'upgrade-refused': [{ kind: 'upgrade-refused' }],
  'method-not-allowed': [{ kind: 'method-not-allowed', allow: ['GET', 'HEAD'] }],
  'route-unknown': [{ kind: 'route-unknown' }],
  'credential-missing': [{ kind: 'credential-missing' }],
  'credential-malformed': [{ kind: 'credential-malformed' }],
  'credential-unknown': [{ kind: 'credential-unknown' }],
  'credentials-conflict': [{ kind: 'credentials-conflict' }],
  'basic-not-here': [{ kind: 'basic-not-here' }],
  'key-expired': [{ kind: 'key-expired' }],
  'key-disabled': [{ kind: 'key-disabled' }],
  'scope-missing': [{ kind: 'scope-missing', needed: ['status', 'admin'] }],
  'cross-site': [{ kind: 'cross-site' }],
  'model-missing': [{ kind: 'model-missing' }],
  'model-unknown': [
    { kind: 'model-unknown', model: 'gtp' },
    { kind: 'model-unknown', model: 'gtp', suggestion: 'gpt' },
  ],
  'limit-reached': [
    {
      kind: 'limit-reached',
      limit: 'requests-per-minute',
      retryAfterMs: 1500,
      tokens: { needed: 1700, left: undefined },
    },
    {
      kind: 'limit-reached',
      limit: 'tokens-per-minute',
      retryAfterMs: 50_200,
      tokens: { needed: 1700, left: 300 },
    },
    {
      kind: 'limit-reached',
      limit: 'tokens-per-day',
      retryAfterMs: 50_000_000,
      tokens: { needed: 1700, left: 300 },
    },
    {
      kind: 'limit-reached',
      limit: 'concurrent',
      retryAfterMs: 250,
      tokens: { needed: 1700, left: 300 },
    },
  ],
  'key-queue-full': [{ kind: 'key-queue-full' }],
  'queue-full': [{ kind: 'queue-full' }],
  'waited-too-long': [{ kind: 'waited-too-long' }],
  'model-not-loaded': [{ kind: 'model-not-loaded', model: 'gpt-oss-120b' }],
  draining: [{ kind: 'draining' }],
  'counters-unavailable': [{ kind: 'counters-unavailable' }],
  'upstream-unreachable': [{ kind: 'upstream-unreachable' }],
  'upstream-not-llama-swap': [{ kind: 'upstream-not-llama-swap' }],
  'upstream-broken': [{ kind: 'upstream-broken' }],
  'upstream-timeout': [{ kind: 'upstream-timeout' }],
  'upstream-busy': [{ kind: 'upstream-busy', retryAfterSeconds: 1 }],
  'upstream-key-refused': [{ kind: 'upstream-key-refused' }],
  'model-loading': [{ kind: 'model-loading', retryAfterSeconds: 2.5 }],
  'model-load-failed': [{ kind: 'model-load-failed' }],
  'upstream-refused': [
    { kind: 'upstream-refused', status: 400, message: "'messages' is required" },
    {
      kind: 'upstream-refused',
      status: 501,
      message: 'This server does not support embeddings.',
      type: 'not_supported_error',
      code: 'no_embeddings',
    },
    { kind: 'upstream-refused', status: 500, message: 'Context size has been exceeded.' },
  ],
  'overflow-loop': [{ kind: 'overflow-loop' }],
  'prompt-too-long': [
    { kind: 'prompt-too-long', message: 'prompt is too long: 5000 tokens > 4290 maximum' },
  ],
  'stream-cut': [{ kind: 'stream-cut' }],
  internal: [{ kind: 'internal' }],
}

export const EVERY_ERROR: readonly GateError[] = Object.values(SAMPLES).flat()

/** Refusals whose text comes from a client or from upstream, with that text in every place that takes one. */
export function finalErrorsSaying(text: string): GateError[] {
  return [
    { kind: 'bad-request', detail: text, param: text },
    { kind: 'model-unknown', model: text, suggestion: text },
    ...[400, 404, 409, 422].map((status) => ({
      kind: 'upstream-refused' as const,
      status,
      message: text,
      type: text,
      code: text,
    })),
  ]
}
