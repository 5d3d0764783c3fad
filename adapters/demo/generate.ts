import type { ServerResponse } from 'node:http'
import type { Call, Work } from './call.ts'
import type { Dialect, Outcome, Run, Writer } from './dialect.ts'
import { pace, push } from './pace.ts'
import { overflow, sendEmpty, sendJson, sendLlamaError } from './replies.ts'
import { lastUserText } from './said.ts'
import { answerPieces, thoughtPieces, type Piece } from './text.ts'
import { timingsOf } from './timings.ts'
import { countTokens, outputLimit, promptText } from './tokens.ts'

const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}

/** Answers a prompt in a dialect: as a stream when the body asks for one, as a whole otherwise. */
export function generate(dialect: Dialect): Work {
  return async (call) => {
    const { body, model, visit } = call
    const problem = dialect.check(body)
    if (problem) return sendLlamaError(visit.res, problem)

    const prompt = promptText(dialect.prompt(body))
    const promptTokens = countTokens(prompt)
    if (promptTokens >= model.context) {
      return sendLlamaError(visit.res, overflow(promptTokens, model.context))
    }

    const run: Run = {
      body,
      model: model.id,
      created: Math.floor(Date.now() / 1000),
      promptTokens,
      cachedTokens: call.lease.memory.reuse(prompt),
    }
    const answer = answerPieces(model, lastUserText(dialect.said(body)))
    const thoughts = model.reasons && dialect.showsReasoning ? thoughtPieces() : []
    const writer = dialect.write(run)
    const deliver = body['stream'] === true ? deliverStream : deliverWhole
    await deliver(call, writer, produce(call, run, [...thoughts, ...answer]))
  }
}

/** Yields the tokens as they come about and returns the outcome, or nothing when stopped. */
async function* produce(
  call: Call,
  run: Run,
  pieces: readonly Piece[],
): AsyncGenerator<Piece, Outcome | undefined> {
  const room = call.model.context - run.promptTokens
  const allowed = pieces.slice(0, Math.min(outputLimit(run.body), room))
  const text = { reasoning: '', content: '' }
  const started = performance.now()
  let tokens = 0
  let first = started
  for await (const piece of pace(allowed, call.visit.demo.options.tokensPerSecond, call.stop)) {
    if (tokens++ === 0) first = performance.now()
    text[piece.kind] += piece.text
    yield piece
  }
  call.visit.demo.log.add(`<${call.model.id}> ${tokens} of ${allowed.length} tokens generated`)
  if (call.stop.aborted) return undefined
  const timings = timingsOf({
    cached: run.cachedTokens,
    prompt: { tokens: run.promptTokens - run.cachedTokens, ms: first - started },
    predicted: { tokens, ms: performance.now() - first },
  })
  return { ...text, tokens, isCut: allowed.length < pieces.length, timings }
}

type Production = AsyncGenerator<Piece, Outcome | undefined>

async function deliverStream(call: Call, writer: Writer, production: Production): Promise<void> {
  const { res } = call.visit
  res.writeHead(200, SSE_HEADERS)
  await push(res, writer.open(), call.stop)
  let step = await production.next()
  while (!step.done) {
    await push(res, writer.piece(step.value), call.stop)
    step = await production.next()
  }
  // Unloaded under the request: llama-swap ends such a stream cleanly, without a terminator.
  res.end(step.value ? writer.close(step.value) : '')
}

async function deliverWhole(call: Call, writer: Writer, production: Production): Promise<void> {
  let step = await production.next()
  while (!step.done) step = await production.next()
  sendOutcome(call.visit.res, writer, step.value)
}

function sendOutcome(res: ServerResponse, writer: Writer, outcome: Outcome | undefined): void {
  if (outcome) sendJson(res, 200, writer.whole(outcome))
  else if (!res.destroyed) sendEmpty(res, 502)
}
