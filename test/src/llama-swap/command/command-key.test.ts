import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandKey } from '../../../../src/llama-swap/command/command-key.ts'

describe('the key of a command', () => {
  test('is its words in one line', () => {
    const cmd = 'llama-server\n  --port 5800 \\\n  # -c 4096\n  -c  8192\n\t-np 1\n'
    expect(commandKey(cmd)).toBe('llama-server --port * -c 8192 -np 1')
  })

  test.each([
    ['the flag', 'llama-server --port ${PORT}', 'llama-server --port 5801'],
    ['the flag with =', 'vllm serve --port=${PORT}', 'vllm serve --port=5801'],
    ['an address', 'serve --at http://box:${PORT}/v1', 'serve --at http://box:5801/v1'],
    ['an address of digits', 'serve --at 127.0.0.1:${PORT}', 'serve --at 127.0.0.1:5801'],
    ['a container', 'docker run -p ${PORT}:8080 x', 'docker run -p 5801:8080 x'],
    [
      'a container on one address',
      'podman run --publish=127.0.0.1:${PORT}:8080 x',
      'podman run --publish=127.0.0.1:5801:8080 x',
    ],
  ])('does not count the port of %s', (_what, configured, running) => {
    expect(commandKey(running)).toBe(commandKey(configured))
  })

  test.each([
    ['llama-server -c 4096', 'llama-server -c 8192'],
    [
      'llama-server --override-kv a.context_length=int:4096',
      'llama-server --override-kv a.context_length=int:8192',
    ],
    ['docker run -p 1:8080 x', 'docker run -p 1:8081 x'],
    ['llama-server -np 1', 'llama-server -np 2'],
  ])('counts every other number: %s', (one, other) => {
    expect(commandKey(one)).not.toBe(commandKey(other))
  })

  test('stays the same when it is taken again', () => {
    const word = constantFrom(
      '--port',
      '-p',
      '${PORT}',
      '1:2:3',
      'http://a:1',
      '\\',
      '#',
      '\n',
      'x',
    )
    const cmd = oneof(
      string({ unit: 'grapheme' }),
      array(word).map((all) => all.join(' ')),
    )
    assert(
      property(cmd, (text) => {
        expect(commandKey(commandKey(text))).toBe(commandKey(text))
      }),
    )
  })
})
