import { expect, test } from 'vitest'
import { readyText } from '../../../src/cli/ready-text.ts'

test('a first start on the demo', () => {
  const text = readyText({
    url: 'http://127.0.0.1:3000',
    urlElsewhere: 'http://gpu-box:3000',
    upstream: 'demo',
    isStandIn: true,
    upstreamUrl: 'http://127.0.0.1:40001',
    model: 'qwen3-coder-next',
    newKey: { secret: 'sk-new', file: './config.json' },
  })

  expect(text).toBe(`
  Base URL  http://127.0.0.1:3000/v1
            From other machines: http://gpu-box:3000/v1
  Key       sk-new
            New, and shown only this once: ./config.json holds its hash.
  Upstream  the built-in demo: fixed replies, no model behind it

  Try it:

curl -N http://127.0.0.1:3000/v1/chat/completions -H "Authorization: Bearer sk-new" -H 'Content-Type: application/json' -d '{"model":"qwen3-coder-next","stream":true,"messages":[{"role":"user","content":"Say hello."}]}'

  Ctrl-C stops everything.

  NO MODEL: llama-swap was not found (see above), so every answer comes from the demo.

`)
})

test('a later start on llama-swap, whose models are not known', () => {
  const text = readyText({
    url: 'https://gpu.example.com',
    urlElsewhere: undefined,
    upstream: 'llama-swap',
    isStandIn: false,
    upstreamUrl: 'http://127.0.0.1:8080',
    model: undefined,
    newKey: undefined,
  })

  expect(text).toBe(`
  Base URL  https://gpu.example.com/v1
  Upstream  llama-swap on http://127.0.0.1:8080

  Try it, with one of your keys in SWAPGATE_KEY:

curl -N https://gpu.example.com/v1/chat/completions -H "Authorization: Bearer $SWAPGATE_KEY" -H 'Content-Type: application/json' -d '{"model":"MODEL","stream":true,"messages":[{"role":"user","content":"Say hello."}]}'

  The first answer comes when the model is loaded. To set up OpenCode: docs/opencode.md
  Ctrl-C stops everything.

`)
})
