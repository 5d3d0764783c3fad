import { expect, test } from 'vitest'
import { readRunning } from '../../../src/llama-swap/read-running.ts'

test('each running model has its id, its state and all that is told of it', () => {
  const proxy = 'http://localhost:5800'
  const a = { model: 'a', state: 'ready', cmd: 'llama-server', proxy, ttl: 0 }
  const b = { model: 'b', state: 'starting', cmd: '', proxy: 1 }
  expect(readRunning(JSON.stringify({ running: [a, b] }))).toEqual([
    { model: 'a', state: 'ready', command: 'llama-server', server: proxy, record: a },
    { model: 'b', state: 'starting', command: undefined, server: undefined, record: b },
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
