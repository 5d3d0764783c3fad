import type { Work } from './call.ts'
import type { JsonObject } from './json.ts'
import { sendJson, sendLlamaError } from './replies.ts'
import { countTokens, promptText } from './tokens.ts'

const DIMENSIONS = 16

/** POST /v1/embeddings: a small vector of length 1 that depends on the text alone. */
export const embed: Work = ({ visit, body }) => {
  const input = body['input']
  if (input === undefined) {
    return sendLlamaError(visit.res, {
      code: 400,
      message: '"input" or "content" must be provided',
      type: 'invalid_request_error',
    })
  }
  const texts = textsOf(input)
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0)
  sendJson(visit.res, 200, {
    model: body['model'],
    object: 'list',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    data: texts.map((text, index) => record(text, index, body)),
  })
}

function record(text: string, index: number, body: JsonObject): JsonObject {
  const vector = vectorOf(text)
  // The openai SDK asks for base64 by itself and would not understand a list of numbers then.
  const embedding = body['encoding_format'] === 'base64' ? toBase64(vector) : Array.from(vector)
  return { embedding, index, object: 'embedding' }
}

/** A list of numbers is one text given as tokens; any other list is several texts. */
function textsOf(input: unknown): string[] {
  if (!Array.isArray(input) || input.every((item) => typeof item === 'number')) {
    return [promptText([input])]
  }
  return input.map((item: unknown) => promptText([item]))
}

/** Spreads the bytes over the dimensions, so that similar texts get similar vectors. */
function vectorOf(text: string): Float32Array {
  const sums = new Float32Array(DIMENSIONS)
  for (const byte of new TextEncoder().encode(text)) sums[byte % DIMENSIONS]! += 1
  const length = Math.hypot(...sums) || 1
  return sums.map((sum) => sum / length)
}

function toBase64(vector: Float32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(vector.buffer)))
}
