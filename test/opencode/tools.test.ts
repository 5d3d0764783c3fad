import { expect, onTestFinished, test } from 'vitest'
import { startScenario } from './scenario.ts'

test('an answer that needs a tool: OpenCode reads the file and the model goes on', async () => {
  const scenario = await startScenario((call) =>
    call.nth === 1
      ? {
          kind: 'tools',
          calls: [{ name: 'read', input: { filePath: `${scenario.user.folder}/note.txt` } }],
        }
      : {
          kind: 'text',
          text: call.last.includes('the word is heron') ? 'It is heron.' : 'I saw no file.',
        },
  )
  onTestFinished(scenario.stop)
  scenario.user.write('note.txt', 'the word is heron\n')
  const { exitCode, texts, tools, errors } = await scenario.ask('Which word is in note.txt?')
  expect({ exitCode, texts, tools, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 0,
    texts: ['It is heron.'],
    tools: ['read completed'],
    errors: [],
    box: { title: 1, main: 2 },
    gate: { 'laptop 200 completed': 3 },
  })
})
