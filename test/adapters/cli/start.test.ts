import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import {
  addLlamaSwap,
  cleanUp,
  descendantsOf,
  isAlive,
  isFree,
  newFolder,
  runCli,
  seenBy,
  takePort,
  until,
} from './run-cli.ts'

/** Processes in real time: see test/vitest.config.ts. */
const SLOW = { timeout: 60_000, retry: 1 }

afterAll(cleanUp)

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

describe.concurrent('a first start without llama-swap', SLOW, () => {
  test('makes a key, says how to get llama-swap, and answers a chat on the demo', async () => {
    const folder = newFolder()
    const cli = runCli(folder, ['start'])
    const url = await cli.listening()
    await cli.written(/Ctrl-C stops everything/)

    const [secret, ...others] = new Set(cli.stdout().match(/sk-[\w-]{43}/g))
    expect(others).toEqual([])
    expect(cli.stderr()).toContain('llama-swap was not found')
    expect(cli.stderr()).toContain('github.com/mostlygeek/llama-swap/releases')
    expect(cli.stderr()).not.toContain(secret)
    expect(cli.stdout()).toMatch(/every answer comes from the demo\.\n\n$/)

    const file = join(folder, 'config.json')
    const hash = createHash('sha256').update(secret!).digest('hex')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readJson(file)).toEqual({
      keys: [{ id: 'default', secret: `sha256:${hash}`, scopes: ['inference', 'status'] }],
    })

    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'qwen3-coder-next',
        max_tokens: 1,
        messages: [{ role: 'user', content: 'hello' }],
      }),
    })
    expect(answer.status).toBe(200)

    const children = descendantsOf(cli.pid)
    expect(children).toHaveLength(1)
    cli.signal('SIGTERM')
    expect(await cli.ended).toEqual([0, null])
    expect(children.filter(isAlive)).toEqual([])
    expect(await isFree(url)).toBe(true)
  })

  test('is the only one that shows a key', async () => {
    const folder = newFolder()
    const first = runCli(folder, ['start', '--demo'])
    await first.written(/shown only this once/)
    first.signal('SIGINT')
    await first.ended
    const before = readFileSync(join(folder, 'config.json'), 'utf8')

    const second = runCli(folder, ['start', '--demo'])
    await second.written(/Ctrl-C stops everything/)

    expect(second.stdout()).not.toMatch(/sk-/)
    expect(second.stdout()).toContain('-H "Authorization: Bearer $SWAPGATE_KEY"')
    expect(second.stderr()).not.toContain('not found')
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(before)
    second.signal('SIGINT')
    expect(await second.ended).toEqual([0, null])
  })

  test('makes no file when the keys are in the environment', async () => {
    const folder = newFolder()
    const cli = runCli(folder, ['start', '--demo'], { API_KEYS: 'sk-from-the-environment' })
    await cli.written(/Ctrl-C stops everything/)

    expect(cli.stdout()).not.toMatch(/sk-/)
    expect(() => statSync(join(folder, 'config.json'))).toThrow('ENOENT')
  })

  test('leaves no file behind when the port of the gate is taken, and names the port', async () => {
    const folder = newFolder()
    const port = await takePort()
    const cli = runCli(folder, ['start'], { PORT: String(port) })

    expect(await cli.ended).toEqual([1, null])
    expect(cli.stderr()).toContain(`Port ${port} on 127.0.0.1 is already in use`)
    expect(() => statSync(join(folder, 'config.json'))).toThrow('ENOENT')
    expect(cli.stdout()).toBe('')
  })
})

test('a gate that is killed leaves no demo behind', SLOW, async () => {
  const cli = runCli(newFolder(), ['start', '--demo'])
  await cli.listening()
  const children = descendantsOf(cli.pid)
  expect(children).toHaveLength(1)

  cli.signal('SIGKILL')

  expect(await until(() => (children.some(isAlive) ? undefined : 'gone'))).toBe('gone')
})

describe.concurrent('without llama-swap', SLOW, () => {
  test('a later start says last of all where its answers come from', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'config.json'), '{ "keys": ["sk-test-test-test-test"] }')
    const cli = runCli(folder, ['start'])
    await cli.written(/NO MODEL/)

    expect(cli.stdout()).toMatch(
      /\n {2}NO MODEL: llama-swap was not found .*every answer comes from the demo\.\n\n$/,
    )
    cli.signal('SIGINT')
    expect(await cli.ended).toEqual([0, null])
  })

  test('a file for it ends the start with 2', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'config.yaml'), 'models: {}\n')
    const cli = runCli(folder, ['start'])

    expect(await cli.ended).toEqual([2, null])
    expect(cli.stderr()).toMatch(/llama-swap was not found[^]*config\.yaml is there[^]*--demo\n$/)
    expect(() => statSync(join(folder, 'config.json'))).toThrow('ENOENT')
  })
})

describe.concurrent('with llama-swap', SLOW, () => {
  test('starts it from PATH with its file and address, and shows a line to paste', async () => {
    const folder = newFolder()
    const upstream = await addLlamaSwap(folder)
    const cli = runCli(folder, ['start'], { UPSTREAM_API_KEY: 'internal' })
    const url = await cli.listening()
    await cli.written(/Ctrl-C stops everything/)
    const { args, env } = await seenBy(folder)

    expect(args).toEqual(['-config', 'config.yaml', '-listen', upstream.replace('http://', '')])
    expect(env).toMatchObject({ UPSTREAM_API_KEY: 'internal' })
    expect(env).not.toHaveProperty('PORT')
    expect(cli.stdout()).toContain('llama-swap | hello from stdout\n')
    expect(cli.stderr()).toContain('llama-swap | hello from stderr\n')
    expect(cli.stdout()).toContain(`  Base URL  ${url}/v1\n`)
    expect(cli.stdout()).toContain('docs/opencode.md')
    expect(cli.stdout()).toContain(String.raw`-d '{"model":"bob'\''s-model","stream":true,`)
  })

  test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves nothing behind on %s',
    async (signal) => {
      const folder = newFolder()
      const upstream = await addLlamaSwap(folder)
      const cli = runCli(folder, ['start'])
      const url = await cli.listening()
      const { pid, model } = await seenBy(folder)
      expect([pid, model].filter(isAlive)).toEqual([pid, model])

      cli.signal(signal)

      expect(await cli.ended).toEqual([0, null])
      expect([pid, model].filter(isAlive)).toEqual([])
      expect([await isFree(url), await isFree(upstream)]).toEqual([true, true])
    },
  )

  test('stops at once on a second signal, models included', async () => {
    const folder = newFolder()
    await addLlamaSwap(folder)
    const cli = runCli(folder, ['start'], { FAKE_STUBBORN: '1' })
    await cli.listening()
    const { pid, model } = await seenBy(folder)

    cli.signal('SIGINT')
    await cli.written(/llama-swap \| not yet/)
    cli.signal('SIGTERM')

    expect(await cli.ended).toEqual([1, null])
    expect(await until(() => ([pid, model].some(isAlive) ? undefined : 'gone'))).toBe('gone')
  })

  test('can be stopped while llama-swap has not answered yet', async () => {
    const folder = newFolder()
    await addLlamaSwap(folder)
    const cli = runCli(folder, ['start'], { FAKE_SILENT: '1' })
    const { pid, model } = await seenBy(folder)

    cli.signal('SIGINT')

    expect(await cli.ended).toEqual([0, null])
    expect([pid, model].filter(isAlive)).toEqual([])
    expect(cli.stderr()).not.toContain('ended')
  })

  test('says why when it ends before it answers', async () => {
    const folder = newFolder()
    await addLlamaSwap(folder)
    const cli = runCli(folder, ['start'], { FAKE_DIES: '1' })

    expect(await cli.ended).toEqual([1, null])
    expect(cli.stderr()).toContain(
      'swapgate: llama-swap ended with exit code 3 before it answered. Its last lines:\n',
    )
    expect(cli.stderr()).toContain('\n  cannot read the model\n')
  })

  test('stops the gate and the models when it ends later', async () => {
    const folder = newFolder()
    const upstream = await addLlamaSwap(folder)
    const cli = runCli(folder, ['start'])
    const url = await cli.listening()
    const { model } = await seenBy(folder)

    await fetch(`${upstream}/v1/chat/completions`).catch(() => {})

    expect(await cli.ended).toEqual([1, null])
    expect(cli.stderr()).toContain('llama-swap ended with exit code 4, so the gate stops, too.')
    expect(isAlive(model)).toBe(false)
    expect(await isFree(url)).toBe(true)
  })

  test('names its port when it is taken, and what to do', async () => {
    const folder = newFolder()
    await addLlamaSwap(folder)
    const port = await takePort()
    const upstream = { url: `http://127.0.0.1:${port}` }
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ upstream }))
    const cli = runCli(folder, ['start'])

    expect(await cli.ended).toEqual([1, null])
    expect(cli.stderr()).toContain(`Port ${port} on 127.0.0.1, where llama-swap is to listen`)
    expect(cli.stderr()).toContain(`UPSTREAM_URL=http://127.0.0.1:${port}`)
  })

  test('is not started when UPSTREAM_URL is set', async () => {
    const folder = newFolder()
    await addLlamaSwap(folder)
    const upstream = `http://127.0.0.1:${await freePort()}`
    const cli = runCli(folder, ['start'], { UPSTREAM_URL: upstream })
    await cli.written(/Ctrl-C stops everything/)

    expect(descendantsOf(cli.pid)).toEqual([])
    expect(cli.stderr()).toContain(`nothing answers on ${upstream} now`)
    expect(cli.stdout()).toContain(`  Upstream  ${upstream} (not started from here)\n`)
    cli.signal('SIGTERM')
    expect(await cli.ended).toEqual([0, null])
  })

  test('needs its own configuration', async () => {
    const folder = newFolder()
    await addLlamaSwap(folder)
    const config = { upstream: { configFile: './other.yaml' } }
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    const cli = runCli(folder, ['start'])

    expect(await cli.ended).toEqual([2, null])
    expect(cli.stderr()).toContain('cp config.yaml.example other.yaml')
  })
})

test('a program that LLAMA_SWAP_BIN names has to exist', SLOW, async () => {
  const cli = runCli(newFolder(), ['start'], { LLAMA_SWAP_BIN: '/nowhere/llama-swap' })

  expect(await cli.ended).toEqual([2, null])
  expect(cli.stderr()).toContain('LLAMA_SWAP_BIN names /nowhere/llama-swap')
})
