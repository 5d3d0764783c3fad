import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanUp, newFolder, runCli } from './run-cli.ts'

const KEY = 'sk-the-key-of-this-test'
const swapgate = {
  use: 'chat',
  reasoning: false,
  context_source: 'props',
  context_certainty: 'exact',
  context_why: 'asked',
}
const IDS = ['coder', 'x{file:/etc/passwd}', '{env:HOME}']
/** A gate behind a server that has others beside it; `meanwhile` runs while it is asked. */
let meanwhile = (): void => undefined
const server = createServer((request, response) => {
  meanwhile()
  const isGate = /^(?:\/llm)?\/v1\/models$/.test(request.url ?? '')
  const data = IDS.map((id) => ({
    id,
    object: 'model',
    context_length: 65_536,
    meta: { swapgate },
  }))
  response.writeHead(isGate ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ object: 'list', data }))
})
let origin = ''

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  origin = typeof address === 'object' && address ? `http://localhost:${address.port}` : ''
})
afterAll(() => {
  server.close()
  cleanUp()
})

const FILE = 'opencode.json'
const BOX = `models:
  coder:
    cmd: llama-server --port \${PORT} --model coder.gguf --ctx-size 131072 --jinja
`

type Ended = { code: number | null; stdout: string; stderr: string }

async function run(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const cli = runCli(folder, ['opencode', ...args], { LLAMA_SWAP_API_KEY: KEY, ...env })
  const [code] = await cli.ended
  return { code, stdout: cli.stdout(), stderr: cli.stderr() }
}

function folderWith(files: Record<string, unknown>): string {
  const folder = newFolder()
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder, name),
      typeof content === 'string' ? content : JSON.stringify(content),
    )
  return folder
}

function textIn(folder: string): string {
  return readFileSync(join(folder, FILE), 'utf8')
}

describe('swapgate opencode --write', () => {
  test('leaves a server alone that stands beside the gate, with its key', async () => {
    const ollama = { options: { baseURL: `${origin}/ollama/v1`, apiKey: 'sk-of-ollama' } }
    const folder = folderWith({ [FILE]: { provider: { ollama } } })
    expect(await run(folder, ['--write', '--url', `${origin}/llm`])).toMatchObject({ code: 0 })
    expect(JSON.parse(textIn(folder))).toMatchObject({
      provider: { ollama, 'llama-swap': { options: { baseURL: `${origin}/llm/v1` } } },
    })
    expect(JSON.parse(textIn(folder)).provider.ollama).toEqual(ollama)
  })

  test('leaves a provider of another gate alone, and writes beside it under a name of its own', async () => {
    const another = { options: { baseURL: 'http://work-box:3000/v1', apiKey: 'sk-of-work' } }
    const folder = folderWith({ [FILE]: { model: 'a/b', provider: { 'llama-swap': another } } })
    const before = textIn(folder)
    expect(await run(folder, ['--write', '--url', origin])).toEqual({
      code: 1,
      stdout: '',
      stderr: `swapgate: opencode.json: provider.llama-swap leads to http://work-box:3000/v1: another gate. Write under another name: swapgate opencode --write --provider home --url ${origin}\n`,
    })
    expect(textIn(folder)).toBe(before)
    const args = ['--write', '--url', origin, '--provider', 'home']
    expect(await run(folder, args)).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(textIn(folder)).provider).toMatchObject({
      'llama-swap': another,
      home: { options: { baseURL: `${origin}/v1` } },
    })
    expect(JSON.parse(textIn(folder)).provider['llama-swap']).toEqual(another)
  })

  test('advises the command that was given, with a name that is free, and that one works', async () => {
    const another = { options: { baseURL: 'http://work-box:3000/v1', apiKey: 'sk-of-work' } }
    const name = 'my conf.json'
    const folder = folderWith({ [name]: { model: 'a/b', provider: { 'llama-swap': another } } })
    const env = { MINE: KEY, LLAMA_SWAP_API_KEY: '' }
    const from = ['--url', `${origin}/llm`, '--key-env', 'MINE']
    const { stderr } = await run(folder, ['--write', name, ...from], env)
    expect(stderr).toContain(
      ` swapgate opencode --write '${name}' --provider home ${from.join(' ')}\n`,
    )
    const advised = ['--write', name, '--provider', 'home', ...from]
    expect(await run(folder, advised, env)).toMatchObject({ code: 0, stderr: '' })
  })

  test('leads the provider that went past the gate to llama-swap itself to the gate', async () => {
    const past = { options: { baseURL: 'http://127.0.0.1:8080/v1', apiKey: '{env:MINE}' } }
    const folder = folderWith({ [FILE]: { model: 'a/b', provider: { 'llama-swap': past } } })
    expect(await run(folder, ['--write', '--url', origin])).toMatchObject({
      code: 0,
      stderr:
        "swapgate: llama-swap led past the gate to llama-swap itself. The key that stands there goes to the gate now, and has to be one of the gate's.\n",
    })
    expect(JSON.parse(textIn(folder)).provider['llama-swap'].options).toMatchObject({
      baseURL: `${origin}/v1`,
      apiKey: '{env:MINE}',
    })
  })

  test('leaves a file alone that is not UTF-8', async () => {
    const folder = newFolder()
    const bytes = Buffer.from('{ "name": "B\xFCro" }', 'latin1')
    writeFileSync(join(folder, FILE), bytes)
    expect(await run(folder, ['--write', '--url', origin])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('opencode.json is not UTF-8; nothing was written.'),
    })
    expect(readFileSync(join(folder, FILE))).toEqual(bytes)
  })

  test('knows its own gate by all addresses of its configuration', async () => {
    const theirs = { options: { baseURL: 'http://localhost:3100/v1', apiKey: '{env:MINE}' } }
    const folder = folderWith({
      'config.yaml': BOX,
      'config.json': { publicUrl: 'https://box/llm', keys: ['sk-0'] },
      [FILE]: { provider: { mine: theirs } },
    })
    expect(await run(folder, ['--write'], { PORT: '3100' })).toMatchObject({ code: 0 })
    expect(JSON.parse(textIn(folder)).provider).toMatchObject({
      mine: { options: { baseURL: 'http://localhost:3100/v1', apiKey: '{env:MINE}' } },
    })
    expect(Object.keys(JSON.parse(textIn(folder)).provider)).toEqual(['mine'])
  })

  test('knows the gate that it asks by the other addresses of its configuration', async () => {
    const theirs = { options: { baseURL: 'https://box/llm/v1', apiKey: '{env:MINE}' } }
    const folder = folderWith({
      'config.json': { publicUrl: 'https://box/llm', keys: ['sk-0'] },
      [FILE]: { provider: { 'llama-swap': theirs } },
    })
    const args = ['--write', '--url', origin]
    const env = { PORT: new URL(origin).port }
    expect(await run(folder, args, env)).toMatchObject({ code: 0 })
    expect(JSON.parse(textIn(folder)).provider['llama-swap'].options).toMatchObject({
      baseURL: 'https://box/llm/v1',
    })
    const elsewhere = folderWith({ [FILE]: { provider: { 'llama-swap': theirs } } })
    expect(await run(elsewhere, args, env)).toMatchObject({ code: 1, stdout: '' })
  })

  test('goes by what OpenCode makes of an address, and leaves the text of it', async () => {
    const theirs = { options: { baseURL: '${GATE_URL}/v1' } }
    const folder = folderWith({ [FILE]: { model: 'a/b', provider: { 'llama-swap': theirs } } })
    const args = ['--write', '--url', origin]
    expect(await run(folder, args, { GATE_URL: 'http://10.1.1.1:3000' })).toMatchObject({
      code: 1,
      stdout: '',
    })
    expect(await run(folder, args, { GATE_URL: origin })).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(textIn(folder)).provider['llama-swap']).toMatchObject({
      ...theirs,
      models: { coder: { name: 'coder' } },
    })
  })

  test('loses nothing that is written into the file while the gate is asked', async () => {
    const folder = folderWith({ [FILE]: '{ "theme": "old" }' })
    meanwhile = (): void => writeFileSync(join(folder, FILE), '{ "theme": "new" }')
    const ended = await run(folder, ['--write', '--url', origin])
    meanwhile = (): void => undefined
    expect(ended.code).toBe(0)
    expect(JSON.parse(textIn(folder))).toMatchObject({ theme: 'new' })
  })
})

describe('what OpenCode would replace in the name of a model', () => {
  test.each([
    ['printed', []],
    ['written', ['--write']],
  ])('is not %s', async (_, args) => {
    const folder = newFolder()
    const { stdout } = await run(folder, [...args, '--url', origin, '--provider', 'home'])
    const text = args.length > 0 ? textIn(folder) : stdout
    expect(JSON.parse(text)).toMatchObject({ model: 'home/coder' })
    expect(Object.keys(JSON.parse(text).provider.home.models)).toEqual(['coder'])
  })
})
