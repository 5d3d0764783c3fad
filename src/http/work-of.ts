import { withMembers, type MemberChange } from '../body/rewrite-json.ts'
import type { ScannedObject } from '../body/scan-json.ts'
import type { GateError } from '../errors/gate-error.ts'
import { textBytes, type Estimator } from '../limit/estimate.ts'
import { allowedOutput, capOutput } from '../limit/output-cap.ts'
import { askForUsage } from '../usage/ask-for-usage.ts'
import { countPrompts } from '../body/count-prompts.ts'
import { createMeter } from '../usage/create-meter.ts'
import type { LlamaCppModels } from '../usage/llama-cpp-models.ts'
import type { Meter } from '../usage/meter.ts'
import { NO_METER } from '../usage/no-meter.ts'
import type { GateContext } from './gate-env.ts'

/** What the gate remembers of its models from earlier answers. */
export type Learned = { estimator: Estimator; llamaCpp: LlamaCppModels }

/** What one request is about to do, and what is sent for it. */
export type Work = {
  modelId: string
  /** What is sent: the client's bytes, or those with the gate's own few changes. */
  body: Uint8Array<ArrayBuffer> | undefined
  /** Whether the route's work is counted in tokens. */
  hasTokens: boolean
  streamed: boolean
  bodyBytes: number
  /** By what name the estimator knows requests like this one. */
  habit: string
  /** Tokens that the request allows its answer; undefined: no limit. */
  maxOutput: number | undefined
  /** Tokens of prompt and answer, estimated. */
  tokens: number
  /** What it takes of its key's share of the box until its tokens are known, or for good where it has none. */
  share: number
  /** Those of the prompt. */
  prompt: number
  meter: Meter
}

/** Finds out what a request will cost, and makes the changes to it that its key and the count of tokens need. */
export function workOf(
  c: GateContext,
  modelId: string,
  learned: Learned,
): Work | { error: GateError } {
  const { body, members } = c.get('content')
  const { cost } = c.get('route')
  if (!body || !members || cost !== 'tokens') {
    const share = cost === 'free' ? SHARE_OF_FREE_WORK : SHARE_OF_OTHER_WORK
    return { ...NO_TOKENS, share, modelId, body }
  }
  return tokenWorkOf(c, modelId, { asked: { body, members }, learned })
}

/** Sound and pictures take as much of a key's share as a short answer. */
const SHARE_OF_OTHER_WORK = 1000
/** What costs nothing must still take turns with what others wait for. */
const SHARE_OF_FREE_WORK = 50

const NO_TOKENS = {
  hasTokens: false,
  streamed: false,
  bodyBytes: 0,
  habit: '',
  maxOutput: undefined,
  tokens: 0,
  prompt: 0,
  meter: NO_METER,
}

function tokenWorkOf(
  c: GateContext,
  modelId: string,
  { asked, learned }: { asked: ScannedObject; learned: Learned },
): Work | { error: GateError } {
  const { stream: format } = c.get('route')
  const streamed = c.get('content').streamed && format !== undefined
  const changes = cappedOutput(c, asked)
  if ('error' in changes) return changes
  const isLlamaCpp = learned.llamaCpp.has(modelId)
  const question = askForUsage({ ...asked, format, streamed, isLlamaCpp })
  const bodyBytes = textBytes(asked.body)
  // Of this key alone: what others ask for must not make it look cheap or dear.
  const habit = `${c.get('scope').keyId} ${modelId}`
  const maxOutput = mostOutput(c, asked)
  const estimate = learned.estimator.estimate(habit, { bodyBytes, maxOutput })
  return {
    modelId,
    body: withMembers(asked, [...changes, ...question.changes]),
    hasTokens: true,
    streamed,
    bodyBytes,
    habit,
    maxOutput,
    tokens: estimate.tokens,
    share: estimate.tokens,
    prompt: estimate.prompt,
    meter: createMeter({
      format,
      streamed,
      takeOut: question.takeOut,
      prompts: countPrompts(asked),
      promptEstimate: estimate.prompt,
      isLlamaCpp,
    }),
  }
}

/** The changes to a request that asks for more than its key may have. */
function cappedOutput(c: GateContext, asked: ScannedObject): MemberChange[] | { error: GateError } {
  const { maxOutputTokens } = c.get('principal').limits
  const { stream: format } = c.get('route')
  if (maxOutputTokens === undefined || format === undefined) return []
  const capped = capOutput(asked, format, maxOutputTokens)
  return capped.ok ? capped.changes : { error: capped.error }
}

/** Routes whose answer is no text, such as embeddings, have no stream either. */
function mostOutput(c: GateContext, asked: ScannedObject): number | undefined {
  if (c.get('route').stream === undefined) return 0
  const { maxOutputTokens = Infinity } = c.get('principal').limits
  const most = Math.min(allowedOutput(asked) ?? Infinity, maxOutputTokens)
  return most === Infinity ? undefined : most
}
