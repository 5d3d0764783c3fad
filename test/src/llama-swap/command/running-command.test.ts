import { describe, expect, test } from 'vitest'
import {
  isOfCommand,
  isWorthAsking,
  wantsKey,
} from '../../../../src/llama-swap/command/running-command.ts'

const A = { model_path: '/models/a.gguf', model_alias: 'a' }
const SIZED = { ...A, default_generation_settings: { n_ctx: 4096 } }

describe('a description is believed', () => {
  test.each([
    ['llama-server --port 5800 -m /models/a.gguf', A],
    ['llama-server --model /elsewhere/a.gguf -c 4096', A],
    [
      'C:\\llama\\llama-server.exe -m "C:\\my models\\a.gguf"',
      { model_path: 'C:\\my models\\a.gguf' },
    ],
    ["bash -c 'exec llama-server -m /models/a.gguf'", A],
    ['bash -c "llama-server -m \\"/models/a.gguf\\""', A],
    ['llama-server \\\n  # -m /models/b.gguf\n  -m \\\n  /models/a.gguf', A],
    ['llama-server -m /models/b.gguf -m /models/a.gguf', A],
    ['numactl -m 0 llama-server -m /models/a.gguf', A],
    ['docker run -m 16g ghcr.io/ggml-org/llama.cpp:server-cuda -m /models/a.gguf', A],
    ['llama-server -hf org/model --alias a', A],
    ['llama-server -hf org/model --alias b,a', A],
    ['/opt/run.sh -m /models/a.gguf', A],
    ['llama-server -hf org/model:Q4', SIZED],
    ['llama-server -m /models/a.gguf', { default_generation_settings: { n_ctx: 4096 } }],
    ['numactl -m 0 llama-server -hf org/model', SIZED],
  ])('where it fits %s', (command, props) => {
    expect([isWorthAsking(command), isOfCommand(props, command)]).toEqual([true, true])
  })

  test.each([
    ['llama-server -m /models/b.gguf', SIZED],
    ['llama-server -m /models/a.gguf -a b', SIZED],
    ['llama-server -hf org/model -a b', SIZED],
    ['llama-server -m /models/b.gguf -m /models/aa.gguf', SIZED],
    ['llama-server -hf org/model:Q4', A],
    ['llama-server', 'text'],
    ['vllm serve org/a', SIZED],
    ['/opt/run.sh a', SIZED],
  ])('not where it does not fit %s', (command, props) => {
    expect(isOfCommand(props, command)).toBe(false)
  })
})

test.each(['vllm serve org/a', '/opt/run.sh a', 'python -m', ''])(
  '%s is not worth asking',
  (command) => {
    expect(isWorthAsking(command)).toBe(false)
  },
)

test.each([
  ['llama-server --api-key k', true],
  ['llama-server --api-key-file /k', true],
  ['docker run -e LLAMA_API_KEY=k llama.cpp:server', true],
  ['llama-server -m /models/--api-key', false],
  ['llama-server --port 5800', false],
])('%s wants a key: %s', (command, isWanted) => {
  expect(wantsKey(command)).toBe(isWanted)
})
