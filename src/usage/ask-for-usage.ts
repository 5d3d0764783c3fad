import { withMembers, type MemberChange } from '../body/rewrite-json.ts'
import { decodeJson, scanJsonObject, type ScannedObject, type Span } from '../body/scan-json.ts'
import type { StreamFormat } from '../dialects/stream-format.ts'
import type { TakeOut } from './meter.ts'

/** A request on its way to upstream. */
export type UsageQuestion = ScannedObject & {
  /** Of the route's streams. */
  format: StreamFormat | undefined
  /** Whether the client asked for a stream. */
  streamed: boolean
  /** Whether an earlier answer of the model came from llama.cpp. */
  isLlamaCpp: boolean
}

/** What to change in the request, and what must be taken out of its answer again. */
export type AskedForUsage = { changes: MemberChange[]; takeOut: TakeOut }

/**
 * Makes a streamed chat or completion tell what it used. Other formats tell it unasked, and OpenAI's other `usage: null`
 * members do no harm.
 *
 * llama.cpp needs no `include_usage`: its last chunk has `timings` anyway, one for each choice, and asking would move
 * them from that chunk into the usage chunk, which is taken out again: clients would lose them. So that is asked only
 * of servers that are not known yet. What llama.cpp does not tell by itself is the prompt of a stream that is cut:
 * `return_progress` tells it at the start, in chunks of their own whose empty role delta comes again without progress
 * (seen in b11669). On `/v1/responses` the first such event stands for an ordinary one, so it is not asked there.
 */
export function askForUsage(question: UsageQuestion): AskedForUsage {
  const { body, members, format, streamed, isLlamaCpp } = question
  const untouched = { changes: [], takeOut: { usage: false, progress: false } }
  if (!streamed || format !== 'chat') return untouched
  const options = withUsage(body, members.get('stream_options'))
  if (!options) return untouched
  const usage = isLlamaCpp ? undefined : options.changed
  const progress = isLlamaCpp && isOff(body, members.get('return_progress'))
  const changes: MemberChange[] = []
  if (usage !== undefined) changes.push(['stream_options', usage])
  if (progress) changes.push(['return_progress', 'true'])
  return {
    changes,
    takeOut: { usage: usage !== undefined, progress },
  }
}

/**
 * The text of `stream_options` with `include_usage`; `changed` is undefined where the client asked for it already.
 * Undefined where the member is not as it should be: upstream must judge it as it is.
 */
function withUsage(
  body: Uint8Array<ArrayBuffer>,
  span: Span | undefined,
): { changed: string | undefined } | undefined {
  if (!span) return { changed: '{"include_usage":true}' }
  const text = body.subarray(span.start, span.end)
  const scan = scanJsonObject(text)
  if (!scan.ok) return undefined
  const asked = scan.members.get('include_usage')
  if (asked && decodeJson(text.subarray(asked.start, asked.end)) === true)
    return { changed: undefined }
  if (!isOff(text, asked)) return undefined
  const changed = withMembers({ body: text, members: scan.members }, [['include_usage', 'true']])
  return { changed: new TextDecoder().decode(changed) }
}

function isOff(body: Uint8Array, span: Span | undefined): boolean {
  return !span || decodeJson(body.subarray(span.start, span.end)) === false
}
