import { decodeJson, type ScannedObject } from '../body/scan-json.ts'
import type { StreamFormat } from '../dialects/stream-format.ts'
import { countPrompts } from '../body/count-prompts.ts'
import type { GateError } from '../errors/gate-error.ts'

/** What to change so that a request cannot ask for more than the cap: member name and its new JSON text. */
export type Capped =
  | { ok: true; changes: Array<[name: string, json: string]> }
  | { ok: false; error: GateError }

/** Every name under which llama-server takes a limit. It obeys n_predict over the others, so none may be left out. */
const OUTPUT_FIELDS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict']

/** Names for the number of answers to one prompt. */
const CHOICE_FIELDS = ['n', 'n_cmpl', 'best_of']

/** The name that each format's clients use: it is put in where a request has none. */
const OWN_FIELD: Record<StreamFormat, string> = {
  chat: 'max_tokens',
  responses: 'max_output_tokens',
  messages: 'max_tokens',
  native: 'n_predict',
}

/**
 * Lowers what a request may generate, over all its choices and prompts, to `cap` tokens. A missing limit is put in:
 * llama-server generates until the context is full without one, and takes a negative one for none.
 */
export function capOutput(asked: ScannedObject, format: StreamFormat, cap: number): Capped {
  const answers = answersOf(asked)
  if (answers > cap)
    return {
      ok: false,
      error: {
        kind: 'bad-request',
        detail: `This request asks for ${answers} answers, but this key may have ${cap} tokens in all (limits.maxOutputTokens).`,
        param: 'n',
      },
    }
  const each = Math.floor(cap / answers)
  const present = OUTPUT_FIELDS.filter((name) => asked.members.has(name))
  const over = present.filter((name) => !isWithin(valueOf(asked, name), each))
  const isBounded = present.some((name) => valueOf(asked, name) !== null)
  const names = isBounded ? over : [...new Set([...over, OWN_FIELD[format]])]
  return { ok: true, changes: names.map((name) => [name, String(each)]) }
}

/** Tokens that a request allows itself, over all its answers; undefined where it sets no limit. */
export function allowedOutput(asked: ScannedObject): number | undefined {
  const limits = OUTPUT_FIELDS.map((name) => valueOf(asked, name)).filter(
    (value) => value !== undefined && value !== null,
  )
  // The largest: which of several counts is upstream's to choose. A negative one, or one it cannot read, is none.
  const most = limits.map((value) => (typeof value === 'number' && value >= 0 ? value : Infinity))
  const largest = Math.max(0, ...most)
  return limits.length === 0 || largest === Infinity ? undefined : largest * answersOf(asked)
}

function isWithin(value: unknown, most: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= most
}

function answersOf(asked: ScannedObject): number {
  const choices = CHOICE_FIELDS.map((name) => valueOf(asked, name)).filter(
    (value): value is number => typeof value === 'number' && value > 1,
  )
  return Math.max(1, ...choices.map(Math.ceil)) * countPrompts(asked)
}

function valueOf({ body, members }: ScannedObject, name: string): unknown {
  const span = members.get(name)
  return span && decodeJson(body.subarray(span.start, span.end))
}
