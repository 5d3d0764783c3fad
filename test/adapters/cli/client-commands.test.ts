import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanUp, newFolder, runCli } from './run-cli.ts'

const KEY = 'sk-the-key-of-this-test'
const gate: Server = createServer((request, response) => {
  const isKnown = request.headers.authorization === `Bearer ${KEY}`
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
  response.end(JSON.stringify(isKnown ? LISTING : { error: { message: 'Not this key.' } }))
})
const swapgate = {
  use: 'chat',
  reasoning: false,
  context_source: 'props',
  context_certainty: 'exact',
  context_why: 'asked',
}
const LISTING = {
  object: 'list',
  data: [{ id: 'coder', object: 'model', context_length: 65_536, meta: { swapgate } }],
}
let url = ''

beforeAll(async () => {
  gate.listen(0, '127.0.0.1')
  await once(gate, 'listening')
  const address = gate.address()
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
})
afterAll(() => {
  gate.close()
  cleanUp()
})

const BOX = `models:
  coder:
    cmd: llama-server --port \${PORT} --model coder.gguf --ctx-size 131072 -np 4 --jinja
`

type Ended = { code: number | null; stdout: string; stderr: string }

async function run(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const cli = runCli(folder, args, { LLAMA_SWAP_API_KEY: KEY, ...env })
  const [code] = await cli.ended
  return { code, stdout: cli.stdout(), stderr: cli.stderr() }
}

function withFiles(files: Record<string, string>): string {
  const folder = newFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

describe.concurrent('swapgate opencode', () => {
  test("prints the configuration for llama-swap's models at the gate's address", async () => {
    const folder = withFiles({
      'config.yaml': BOX,
      'config.json': '{ "publicUrl": "https://box/", "keys": ["sk-0"] }',
    })
    const { code, stdout } = await run(folder, ['opencode'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'llama-swap/coder',
      provider: {
        'llama-swap': {
          env: ['LLAMA_SWAP_API_KEY'],
          options: { baseURL: 'https://box/v1' },
          models: { coder: { limit: { context: 32_768, input: 32_768, output: 8192 } } },
        },
      },
    })
  })

  test('names the box for other machines where the gate listens for them', async () => {
    const folder = withFiles({ 'config.yaml': BOX })
    const env = { HOST: '0.0.0.0', PORT: '3000', API_KEYS: 'sk-0' }
    const { code, stdout, stderr } = await run(folder, ['opencode'], env)
    expect(code).toBe(0)
    expect(stdout).toContain('"baseURL": "http://127.0.0.1:3000/v1"')
    expect(stderr).toBe(
      `swapgate: On other machines, write http://${hostname()}:3000 in place of http://127.0.0.1:3000.\n`,
    )
  })

  test('asks a gate that runs, and never prints the key', async () => {
    const { code, stdout, stderr } = await run(newFolder(), ['opencode', '--url', url])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`"baseURL": "${url}/v1"`)
    expect(stdout).toContain('"limit": { "context": 65536, "input": 65536, "output": 16384 }')
    expect(stdout).not.toContain(KEY)
  })

  test('writes opencode.json, then finds it as it should be, byte for byte', async () => {
    const folder = newFolder()
    const args = ['opencode', '--write', '--url', url]
    expect(await run(folder, args)).toEqual({
      code: 0,
      stdout: 'opencode.json was written.\n',
      stderr: '',
    })
    const text = readFileSync(join(folder, 'opencode.json'), 'utf8')
    expect(await run(folder, args)).toEqual({
      code: 0,
      stdout: 'opencode.json is as it should be; nothing was changed.\n',
      stderr: '',
    })
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe(text)
  })

  test('prefers opencode.jsonc, says what it changed, and what the gate does not have', async () => {
    const text = `{ "provider": { "llama-swap": { "options": { "baseURL": "${url}/v1", "headerTimeout": 1 }, "models": { "old": {} } } } } // mine\n`
    const folder = withFiles({ 'opencode.jsonc': text, 'opencode.json': '{}' })
    const { code, stdout, stderr } = await run(folder, ['opencode', '--write', '--url', url])
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `opencode.jsonc was changed:
  replaced  provider.llama-swap.options.headerTimeout
  new       $schema
  new       provider.llama-swap.npm
  new       provider.llama-swap.name
  new       provider.llama-swap.env
  new       provider.llama-swap.options.chunkTimeout
  new       provider.llama-swap.models.coder
`,
      stderr: `swapgate: This file chooses no model to begin with. To choose one: "model": "llama-swap/coder".
swapgate: old stays in opencode.jsonc, but the gate has no such model for this key.
`,
    })
    expect(readFileSync(join(folder, 'opencode.jsonc'), 'utf8')).toMatch(/\/\/ mine\n$/)
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe('{}')
  })

  test('writes the address of the gate, whatever of it was given', async () => {
    const { stdout } = await run(newFolder(), ['opencode', '--url', `${url}/v1/models`])
    expect(stdout).toContain(`"baseURL": "${url}/v1"`)
  })

  test('writes the file for all projects', async () => {
    const folder = newFolder()
    const { code } = await run(folder, ['opencode', '--write', '--global', '--url', url])
    expect(code).toBe(0)
    expect(existsSync(join(folder, '.config/opencode/opencode.json'))).toBe(true)
  })

  test('writes nothing into a file that is not JSON', async () => {
    const folder = withFiles({ 'opencode.json': '{\n  "a": 1,,\n}\n' })
    expect(await run(folder, ['opencode', '--write', '--url', url])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'swapgate: opencode.json:2:10: the name of a field is expected, in double quotes. Correct it first; nothing was written.\n',
    })
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe('{\n  "a": 1,,\n}\n')
  })

  test.each([
    [
      'no key',
      { LLAMA_SWAP_API_KEY: '' },
      2,
      'wants a key, and LLAMA_SWAP_API_KEY is not set here.\nexport LLAMA_SWAP_API_KEY=<your key>',
    ],
    [
      'a wrong key',
      { LLAMA_SWAP_API_KEY: 'sk-wrong' },
      1,
      'refused the key in LLAMA_SWAP_API_KEY: Not this key.',
    ],
    [
      'something that is no key',
      { LLAMA_SWAP_API_KEY: 'sk-schlüssel' },
      1,
      'What LLAMA_SWAP_API_KEY holds is no key: there is a blank, a line end or a letter with an accent in it.',
    ],
  ])('says what to do with %s', async (_, ...[env, code, words]) => {
    const ended = await run(newFolder(), ['opencode', '--url', url], env)
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(words) })
  })

  test('says what to do where nothing listens', async () => {
    const ended = await run(newFolder(), ['opencode', '--url', 'http://127.0.0.1:65535'])
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('http://127.0.0.1:65535 cannot be reached (ECONNREFUSED).'),
    })
  })

  test("says what to do where llama-swap's configuration is missing", async () => {
    expect(await run(newFolder(), ['opencode'], { PORT: '3000' })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'swapgate: ./config.yaml is not there, so no model is known here. Ask a gate that runs, with your key in LLAMA_SWAP_API_KEY: --url http://127.0.0.1:3000\n',
    })
  })
})

const BY_HAND = `{
  "provider": {
    "llama-swap": {
      "npm": "@ai-sdk/openai-compatible",
      "options": { "baseURL": "http://127.0.0.1:8080/v1", "apiKey": "${KEY}" },
      "models": { "coder": { "limit": { "context": 131072, "output": 65536 } } } // by hand
    }
  },
  "compaction": { "reserved": 20000 }
}
`

describe.concurrent('swapgate check', () => {
  test('finds what people write by hand, mends it, and finds nothing any more', async () => {
    const folder = withFiles({ 'config.yaml': BOX, 'opencode.json': BY_HAND })
    const before = await run(folder, ['check', '--json'], { PORT: '3000' })
    expect(before.code).toBe(1)
    expect(before.stdout).not.toContain(KEY)
    const found: { findings: Array<{ code: string }> } = JSON.parse(before.stdout)
    expect(found.findings.map(({ code }) => code)).toEqual([
      'base-url-past-gate',
      'context-too-large',
      'key-literal',
      'output-too-large',
      'input-missing',
      'reserved-without-input',
      'config-divided-context',
    ])
    const mended = await run(folder, ['check', '--fix', '--json'], { PORT: '3000' })
    expect(mended.code).toBe(0)
    expect(JSON.parse(mended.stdout)).toMatchObject({
      models: [
        {
          model: 'coder',
          written: { context: 32_768, input: 32_768, output: 8192 },
          compactsAt: 24_576,
          verdict: 'ok',
        },
      ],
      findings: [{ code: 'config-divided-context', severity: 'hint' }],
      exitCode: 0,
    })
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe(`{
  "provider": {
    "llama-swap": {
      "npm": "@ai-sdk/openai-compatible",
      "options": { "baseURL": "http://127.0.0.1:3000/v1" },
      "models": { "coder": { "limit": { "context": 32768, "output": 8192, "input": 32768 } } }, // by hand
      "env": ["LLAMA_SWAP_API_KEY"]
    }
  },
  "compaction": { }
}
`)
  })

  test('compares with a gate that runs, and whether the file leads to it', async () => {
    const folder = withFiles({ 'my.json': BY_HAND })
    const { code, stdout } = await run(folder, ['check', 'my.json', '--url', url])
    expect(code).toBe(1)
    expect(stdout).toContain(
      'coder  131,072      -  65,536        65,536       99,072  context-too-large',
    )
    expect(stdout).toContain(`Fix: Write "${url}/v1". (--fix does it)`)
  })

  test('puts together what OpenCode does, and mends each file where it is', async () => {
    const folder = withFiles({ 'opencode.json': '{ "compaction": { "reserved": 1000 } }' })
    await run(folder, ['opencode', '--write', '--global', '--url', url])
    const global = join(folder, '.config/opencode/opencode.json')
    const written = readFileSync(global, 'utf8')
    writeFileSync(global, written.replace('"input": 65536, ', ''))
    expect(await run(folder, ['check', '--url', url, '--fix'])).toEqual({
      code: 0,
      stdout: `OpenCode puts together: ${global}, opencode.json

model  context   input  output  real context  compacts at  verdict
coder   65,536  65,536  16,384        65,536       49,152  ok

Nothing to find fault with.
`,
      stderr: `swapgate: ${global} was mended:
  input-missing  provider.llama-swap.models.coder.limit.input
swapgate: opencode.json was mended:
  headroom-small  compaction.reserved
`,
    })
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe('{ "compaction": { } }')
    expect(JSON.parse(readFileSync(global, 'utf8'))).toEqual(JSON.parse(written))
  })

  test('changes no address for a gate that does not answer', async () => {
    const folder = withFiles({ 'opencode.json': BY_HAND })
    const args = ['check', '--json', '--fix', '--url', 'http://127.0.0.1:65535']
    const { code, stdout } = await run(folder, args)
    expect(code).toBe(1)
    const found: { findings: Array<{ code: string; isMendable: boolean }> } = JSON.parse(stdout)
    expect(found.findings.slice(0, 2)).toMatchObject([
      { code: 'gate-unreachable' },
      { code: 'base-url-past-gate', isMendable: false },
    ])
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toContain('127.0.0.1:8080/v1')
  })

  test('changes no address where no configuration says where the gate is, and says that nothing was compared', async () => {
    const folder = withFiles({ 'opencode.json': BY_HAND })
    const { stdout, stderr } = await run(folder, ['check', '--fix'], { PORT: '3000' })
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toContain('127.0.0.1:8080/v1')
    expect(stdout).toContain('  output-too-large\n')
    expect(stdout).toContain(`warning: config.yaml  [nothing-to-compare]
  This file is not there, so the limits were compared with nothing.
  Fix: Ask a gate that runs: --url http://<box>:3000
`)
    expect(stderr).toBe('')
  })

  test.each(['/v1/models', '/opencode.json', '/'])('takes %s off the address', async (tail) => {
    const folder = newFolder()
    await run(folder, ['opencode', '--write', '--url', url])
    const { code, stdout } = await run(folder, ['check', '--fix', '--url', url + tail])
    expect({ code, end: stdout.split('\n').at(-2) }).toEqual({
      code: 0,
      end: 'Nothing to find fault with.',
    })
  })

  test('checks the way to the gate where there is no file', async () => {
    expect(await run(newFolder(), ['check', '--url', url])).toEqual({
      code: 0,
      stdout: `model  real context
coder        65,536

hint: ${url}  [no-file]
  Only the way to the gate was checked: there is no configuration of OpenCode here.
  Fix: swapgate opencode --write --url ${url}

1 hint.
`,
      stderr: '',
    })
    const wrong = await run(newFolder(), ['check', '--url', url], { LLAMA_SWAP_API_KEY: 'sk-no' })
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('[gate-key-refused]') })
  })

  test('finds the files and the folder of the person who starts it through npm', async () => {
    const folder = withFiles({ 'opencode.json': '{}', 'my.json': '{}', 'my.yaml': BOX })
    const env = { INIT_CWD: folder, npm_lifecycle_event: 'swapgate', PORT: '3000' }
    const here = await run(newFolder(), ['check', '--json'], env)
    expect(JSON.parse(here.stdout)).toMatchObject({ files: ['opencode.json'] })
    const named = await run(newFolder(), ['check', 'my.json', 'my.yaml', '--json'], env)
    expect(JSON.parse(named.stdout)).toMatchObject({ files: ['my.json'] })
    await run(newFolder(), ['opencode', '--write', 'new.json', '--url', url], env)
    expect(existsSync(join(folder, 'new.json'))).toBe(true)
  })

  test('knows a key that OpenCode has stored', async () => {
    const folder = withFiles({ 'opencode.json': BY_HAND.replace(/, "apiKey": "[^"]*"/, '') })
    mkdirSync(join(folder, 'data/opencode'), { recursive: true })
    writeFileSync(
      join(folder, 'data/opencode/auth.json'),
      '{ "llama-swap": { "type": "api", "key": "sk-very-secret" } }',
    )
    const env = { XDG_DATA_HOME: join(folder, 'data'), LLAMA_SWAP_API_KEY: '' }
    const { stdout } = await run(folder, ['check', '--json'], env)
    const { findings }: { findings: Array<{ code: string }> } = JSON.parse(stdout)
    expect(findings.map(({ code }) => code).filter((code) => code.startsWith('key'))).toEqual([])
    expect(stdout).not.toContain('very-secret')
  })

  test('tells a key that the gate refuses as a finding', async () => {
    const folder = withFiles({ 'opencode.json': '{}' })
    const { code, stdout } = await run(folder, ['check', '--url', url], {
      LLAMA_SWAP_API_KEY: 'sk-no',
    })
    expect(code).toBe(1)
    expect(stdout).toContain(`error: ${url}  [gate-key-refused]
  ${url} refused the key in LLAMA_SWAP_API_KEY: Not this key.`)
  })

  test.each([
    [['check'], 'there is no opencode.json here, and none for all projects.'],
    [['check', 'other.json'], 'there is no file other.json.'],
    [
      ['check', 'bad.json'],
      'bad.json:1:1: an object "{ … }" is expected. OpenCode cannot read it, either.',
    ],
    [['check', 'good.json', '--url', 'http://box:3000/ui/'], 'the gate begins before /ui'],
    [['check', 'good.json', 'gone.yaml'], 'there is no file gone.yaml.'],
    [['check', 'good.json', 'bad.yaml'], 'bad.yaml cannot be used; what is wrong stands above.'],
  ])('%j cannot look', async (args, words) => {
    const folder = withFiles({ 'bad.json': '[]', 'good.json': '{}', 'bad.yaml': 'models: [' })
    expect(await run(folder, args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(words),
    })
  })
})

describe.concurrent('swapgate check --json', () => {
  test.each([
    [['check', '--json'], 'no-file', 'there is no opencode.json here'],
    [['check', 'bad.json', '--json'], 'file-invalid', 'bad.json:1:1: '],
    [['check', 'gone.json', '--json'], 'no-file', 'there is no file gone.json.'],
    [['check', 'good.json', 'gone.yaml', '--json'], 'no-file', 'there is no file gone.yaml.'],
    [['check', 'good.json', 'bad.yaml', '--json'], 'file-invalid', 'bad.yaml cannot be used'],
  ])('%j is answered with an object, too', async (args, ...[code, words]) => {
    const folder = withFiles({ 'bad.json': '[]', 'good.json': '{}', 'bad.yaml': 'models: [' })
    const ended = await run(folder, args)
    expect(ended.code).toBe(2)
    expect(JSON.parse(ended.stdout)).toMatchObject({
      version: 1,
      files: [],
      models: [],
      findings: [{ code, severity: 'error', message: expect.stringContaining(words) }],
      exitCode: 2,
    })
  })
})

describe.concurrent('swapgate connect', () => {
  test('lists the clients', async () => {
    const { code, stdout } = await run(newFolder(), ['connect'])
    expect({ code, hasThem: stdout.includes('  swapgate connect open-webui\n') }).toEqual({
      code: 0,
      hasThem: true,
    })
  })

  test('prints the settings of one for the gate that was asked', async () => {
    const { code, stdout, stderr } = await run(newFolder(), ['connect', 'curl', '--url', url])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`${url}/v1`)
    expect(stdout).toContain('coder')
    expect(stdout).not.toContain(KEY)
  })

  test('prints them without models where the gate cannot be asked', async () => {
    const { code, stdout, stderr } = await run(newFolder(), ['connect', 'curl', '--url', url], {
      LLAMA_SWAP_API_KEY: '',
    })
    expect(code).toBe(0)
    expect(stdout).toContain(`${url}/v1`)
    expect(stderr).toContain('The settings below are without its models.')
  })
})
