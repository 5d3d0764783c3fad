import { expect, test } from 'vitest'
import { jsonAnswer } from '../../support/fake-upstream.ts'
import { overflowBody } from '../../support/look-alike/error-answers.ts'
import { codeOf, KEYS, openGate } from './open-gate.ts'

/** Of prompts that are too long in each of these sessions, one after the other: whether the client is told that it is in a loop. */
async function loopsIn(sessions: readonly string[]): Promise<boolean[]> {
  const { ask, upstream } = await openGate()
  upstream.onCall = (call) =>
    void call.answer(jsonAnswer(JSON.parse(overflowBody(70_000, 65_536)), 400))
  const areLoops: boolean[] = []
  for (const session of sessions) {
    const headers = { 'content-type': 'application/json', 'x-session-id': session }
    const body = JSON.stringify({ model: 'glm-4.7-flash', messages: [] })
    const answer = await ask('/v1/chat/completions', {
      method: 'POST',
      key: KEYS.user,
      headers,
      body,
    })
    areLoops.push(codeOf(answer) === 'compaction_did_not_help')
  }
  return areLoops
}

test.each([
  ['of one name are one', ['a', 'a', 'a', 'a'], true],
  ['of different names are different', ['a', 'a', 'a', 'b'], false],
  ['are told apart by 200 letters', [1, 1, 1, 2].map((end) => `${'a'.repeat(199)}${end}`), false],
  ['and by no more', [1, 2, 3, 4].map((end) => `${'a'.repeat(200)}${end}`), true],
])('sessions %s', async (_, sessions, isLoop) => {
  expect(await loopsIn(sessions)).toEqual([false, false, false, isLoop])
})
