import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import type { ChatCall } from './chat-call.ts'
import type { Reply } from './reply.ts'
import { KEY, MODEL, startScenario } from './scenario.ts'

const OVERFLOW: Reply = { kind: 'overflow', promptTokens: 20_345, contextSize: 16_384 }
const SUMMARY: Reply = { kind: 'text', text: 'Summary: nothing yet.' }

/** Fits only after compaction. */
function tooLongOnce(call: ChatCall): Reply {
  if (call.kind === 'compaction') return SUMMARY
  return call.nth === 1 ? OVERFLOW : { kind: 'text', text: 'An answer after compaction.' }
}

/** What OpenCode says to itself, as events of JSON show it. */
const GO_ON = expect.stringMatching(/Continue if you have next steps/)
/** What llama-server said, word for word. */
const TOO_LONG =
  'ContextOverflowError: request (20345 tokens) exceeds the available context size (16384 tokens), try increasing it'

test('a prompt that is too long: OpenCode knows llama-server by its words, compacts, and is answered', async () => {
  const scenario = await startScenario(tooLongOnce)
  onTestFinished(scenario.stop)
  const { exitCode, texts, errors } = await scenario.ask('Say hello')
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual({
    // OpenCode 1.18 recovers and says 1 all the same.
    exitCode: 1,
    texts: ['Summary: nothing yet.', GO_ON, 'An answer after compaction.'],
    errors: [TOO_LONG],
    box: { title: 1, main: 2, compaction: 1 },
    gate: { 'laptop 200 completed': 3, 'laptop 400 refused context-overflow': 1 },
  })
})

const listSchema = z.object({
  data: z.array(
    z.looseObject({
      id: z.string(),
      context_length: z.number(),
      max_model_len: z.number(),
      meta: z.looseObject({
        n_ctx: z.number(),
        swapgate: z.looseObject({ context_source: z.string(), context_certainty: z.string() }),
      }),
    }),
  ),
})

test('what a model said when a request was too long stands in the list and in the next opencode.json', async () => {
  const scenario = await startScenario(tooLongOnce)
  onTestFinished(scenario.stop)
  await scenario.ask('Say hello')
  const headers = { authorization: `Bearer ${KEY}` }
  const list = await fetch(`${scenario.gate.url}/v1/models`, { headers })
  expect(listSchema.parse(await list.json()).data).toMatchObject([
    {
      id: MODEL,
      context_length: 16_384,
      max_model_len: 16_384,
      meta: {
        n_ctx: 16_384,
        swapgate: { context_source: 'overflow', context_certainty: 'exact' },
      },
    },
  ])
  const file = await fetch(`${scenario.gate.url}/opencode.json`, { headers })
  expect(await file.json()).toMatchObject({
    provider: {
      'llama-swap': {
        models: { [MODEL]: { limit: { context: 16_384, input: 16_384, output: 4_096 } } },
      },
    },
  })
})

const STUCK =
  'APIError: This session is stuck: again and again its prompt did not fit into the model, also after it was compacted. What is always sent takes the space. Shorten AGENTS.md or CLAUDE.md, turn off MCP tools, or choose a model with more room, then start a new session.'

test('for ever too long: the fourth time the gate ends the session, with what to do about it', async () => {
  const scenario = await startScenario((call) => (call.kind === 'compaction' ? SUMMARY : OVERFLOW))
  onTestFinished(scenario.stop)
  const { exitCode, texts, errors } = await scenario.ask('Say hello')
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 1,
    texts: Array.from({ length: 3 }, () => ['Summary: nothing yet.', GO_ON]).flat(),
    errors: [TOO_LONG, TOO_LONG, TOO_LONG, STUCK],
    box: { title: 1, main: 4, compaction: 3 },
    gate: {
      'laptop 200 completed': 4,
      'laptop 400 refused context-overflow': 3,
      'laptop 400 refused overflow-loop': 1,
    },
  })
})
