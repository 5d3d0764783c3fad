import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import {
  addLlamaSwap,
  cleanUp,
  isAlive,
  isFree,
  newFolder,
  run,
  seenBy,
  until,
} from '../adapters/cli/run-cli.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const script = join(root, 'scripts/start.sh')

/** What `npm test` has: the launchers of the packages come first, also Deno's, which keeps signals to itself. */
const PATH = `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`

afterAll(cleanUp)

describe.concurrent.each(['node', 'bun', 'deno'])(
  'start.sh --runtime %s',
  { timeout: 60_000, retry: 1 },
  (runtime) => {
    const command: [string, ...string[]] = [script, '--runtime', runtime]

    test.each(['SIGINT', 'SIGTERM'] as const)(
      'runs both and leaves nothing behind on %s',
      async (signal) => {
        const folder = newFolder()
        const upstream = await addLlamaSwap(folder, ['sk-test-test-test-test'])
        const env = { PATH, CONFIG: 'config.json', LLAMA_SWAP_BIN: 'bin/llama-swap' }
        const gate = run(folder, command, env)
        const url = await gate.listening()
        await gate.written(/Ctrl-C stops everything/)
        const { pid, model } = await seenBy(folder)

        const answer = await fetch(`${url}/v1/models`, {
          headers: { authorization: 'Bearer sk-test-test-test-test' },
        })
        expect(await answer.text()).toContain('bob')

        gate.signal(signal)

        expect(await gate.ended).toEqual([0, null])
        expect([pid, model].filter(isAlive)).toEqual([])
        expect([await isFree(url), await isFree(upstream)]).toEqual([true, true])
      },
    )

    test('stops at once on a second signal', async () => {
      const folder = newFolder()
      await addLlamaSwap(folder)
      const env = {
        PATH,
        CONFIG: 'config.json',
        LLAMA_SWAP_BIN: 'bin/llama-swap',
        FAKE_STUBBORN: '1',
      }
      const gate = run(folder, command, env)
      await gate.listening()
      const { pid, model } = await seenBy(folder)

      gate.signal('SIGINT')
      await gate.written(/llama-swap \| not yet/)
      gate.signal('SIGTERM')

      expect(await gate.ended).toEqual([1, null])
      expect(await until(() => ([pid, model].some(isAlive) ? undefined : 'gone'))).toBe('gone')
    })

    test('answers on the demo with a key of its own', async () => {
      const folder = newFolder()
      const gate = run(folder, [...command, '--demo'], { PATH, CONFIG: 'config.json' })
      const url = await gate.listening()
      const [secret] = await gate.written(/sk-[\w-]{43}/)

      const answer = await fetch(`${url}/v1/models`, {
        headers: { authorization: `Bearer ${secret}` },
      })

      expect(await answer.text()).toContain('qwen3-coder-next')
      expect(readFileSync(join(folder, 'config.json'), 'utf8')).not.toContain(secret)
      gate.signal('SIGTERM')
      expect(await gate.ended).toEqual([0, null])
    })

    test('lets a running answer finish', async () => {
      const folder = newFolder()
      writeFileSync(join(folder, 'config.json'), '{ "keys": ["sk-test-test-test-test"] }')
      const gate = run(folder, [...command, '--demo'], {
        PATH,
        CONFIG: 'config.json',
        DEMO_LOAD_MS: '0',
        DEMO_TOKENS_PER_SECOND: '20',
      })
      const url = await gate.listening()
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: 'Bearer sk-test-test-test-test',
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          model: 'qwen3-coder-next',
          stream: true,
          max_tokens: 10,
          messages: [{ role: 'user', content: 'hello' }],
        }),
      })

      gate.signal('SIGINT')

      expect(await answer.text()).toContain('data: [DONE]')
      expect(await gate.ended).toEqual([0, null])
    })
  },
)
