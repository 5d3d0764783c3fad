import { expect, test } from 'vitest'
import { readRunning } from '../../../src/llama-swap/read-running.ts'

test('each running model has its id, its state and all that is told of it', () => {
  const a = { model: 'a', state: 'ready', cmd: 'llama-server', ttl: 0 }
  const b = { model: 'b', state: 'starting' }
  expect(readRunning(JSON.stringify({ running: [a, b] }))).toEqual([
    { model: 'a', state: 'ready', record: a },
    { model: 'b', state: 'starting', record: b },
  ])
})

test('an empty list is an answer', () => {
  expect(readRunning('{"running":[]}')).toEqual([])
})

test.each(['', 'OK', '[]', 'null', '{}', '{"running":{}}', '{"running":null}', '{"running":['])(
  '%j is no such answer',
  (text) => {
    expect(readRunning(text)).toBeUndefined()
  },
)
