import { expect, onTestFinished, test } from 'vitest'
import type { ChatCall } from './chat-call.ts'
import type { Reply, ToolCall } from './reply.ts'
import { startScenario } from './scenario.ts'

const TASKS = ['heron', 'stork', 'crane']

function task(bird: string): ToolCall {
  const prompt = `Look for ${bird}`
  return { name: 'task', input: { description: bird, prompt, subagent_type: 'general' } }
}

/** Three subagents in one answer; each reports a bird, slowly, and the main session names all that it was told. */
function birdWatch(call: ChatCall): Reply {
  const birds = TASKS.filter((bird) => JSON.stringify(call.messages.slice(1)).includes(`${bird} `))
  if (call.kind === 'subagent') {
    const bird = TASKS.find((name) => call.last.includes(name)) ?? 'none'
    return { kind: 'text', text: `${bird} seen by the lake at dawn`, pauseMs: 300 }
  }
  return call.nth === 1
    ? { kind: 'tools', calls: TASKS.map(task) }
    : { kind: 'text', text: `Seen: ${birds.join(', ')}` }
}

test('three subagents at once: all are answered, and the box never gets more than its slots', async () => {
  const scenario = await startScenario(birdWatch, { config: { queue: { slotsPerModel: 2 } } })
  onTestFinished(scenario.stop)
  const { exitCode, texts, tools, errors } = await scenario.ask('Look for three birds')
  const parents = scenario.box.calls.flatMap((call) => call.parentSessionId ?? [])
  const sessions = scenario.box.calls.filter(({ kind }) => kind === 'main')
  expect({ exitCode, texts, tools, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 0,
    texts: ['Seen: heron, stork, crane'],
    tools: ['task completed', 'task completed', 'task completed'],
    errors: [],
    box: { title: 1, main: 2, subagent: 3 },
    gate: { 'laptop 200 completed': 6 },
  })
  expect(parents).toEqual(Array(3).fill(sessions[0]?.sessionId))
  expect(scenario.box.peak()).toBe(2)
})
