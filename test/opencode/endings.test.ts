import { expect, onTestFinished, test } from 'vitest'
import type { Reply } from './reply.ts'
import { startScenario } from './scenario.ts'

const HALF = 'The answer is'

test('a model that dies in the middle, twice: OpenCode asks again and never takes half an answer for a whole one', async () => {
  const replies: readonly Reply[] = [
    { kind: 'died', text: HALF, pauseMs: 50 },
    { kind: 'broken', text: HALF, pauseMs: 50 },
  ]
  const scenario = await startScenario(
    ({ nth }) => replies[nth - 1] ?? { kind: 'text', text: `${HALF} heron.` },
  )
  onTestFinished(scenario.stop)
  const { exitCode, texts, errors } = await scenario.ask('What is the answer?')
  const prompts = scenario.box.calls.filter(({ kind }) => kind === 'main').map(({ last }) => last)
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 0,
    texts: [`${HALF} heron.`],
    errors: [],
    box: { title: 1, main: 3 },
    gate: { 'laptop 200 completed': 2, 'laptop 200 upstream-failed stream-cut': 2 },
  })
  expect(prompts).toEqual(Array(3).fill(prompts[0]))
})
