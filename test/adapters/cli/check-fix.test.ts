import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { cleanUp, newFolder, runCli } from './run-cli.ts'

afterAll(cleanUp)

const KEY = 'sk-the-key-of-this-test'
const BOX = `models:
  coder:
    cmd: llama-server --port \${PORT} --model coder.gguf --ctx-size 131072 -np 4 --jinja
`

type Ended = { code: number | null; stdout: string; stderr: string }

async function fix(folder: string, args: string[] = []): Promise<Ended> {
  const env = { LLAMA_SWAP_API_KEY: KEY, PORT: '3000' }
  const cli = runCli(folder, ['check', '--fix', ...args], env)
  const [code] = await cli.ended
  return { code, stdout: cli.stdout(), stderr: cli.stderr() }
}

function withFiles(files: Record<string, string>): string {
  const folder = newFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** A provider as people write it, with all that could be mended. */
function aProvider(baseURL: string): object {
  return {
    options: { baseURL, apiKey: KEY },
    models: { coder: { limit: { context: 131_072, output: 65_536 } } },
  }
}

const OLLAMA = aProvider('http://localhost:11434/v1')
const CLOUD = {
  groq: aProvider('https://api.groq.com/openai/v1'),
  anthropic: { options: { apiKey: KEY } },
}

describe.concurrent('swapgate check --fix leaves every byte alone', () => {
  test.each<[string, object, Record<string, string>]>([
    ['where Ollama is the only provider', { provider: { ollama: OLLAMA } }, { 'config.yaml': BOX }],
    [
      'where others do not compact, and the gate is none of them',
      { provider: { ...CLOUD, ollama: OLLAMA }, compaction: { auto: false } },
      { 'config.yaml': BOX },
    ],
    [
      "of a person's own llama.cpp, where no configuration says that it is behind a gate",
      { provider: { llamacpp: aProvider('http://127.0.0.1:8080/v1') } },
      {},
    ],
    [
      'of a llama-swap on another box, with its key',
      {
        provider: { 'llama-swap': aProvider('http://work-box:3000/v1') },
        compaction: { auto: false, reserved: 20_000 },
      },
      { 'config.yaml': BOX },
    ],
  ])('%s', async (_, config, others) => {
    const text = `${JSON.stringify(config, undefined, 2)} // mine\n`
    const folder = withFiles({ ...others, 'opencode.json': text })
    const { stdout, stderr } = await fix(folder)
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe(text)
    expect(stderr).toBe('')
    expect(stdout).not.toContain('--fix does it')
    expect(stdout).not.toMatch(/--url http:\/\/localhost:11434|groq\.com/)
  })
})

describe.concurrent('swapgate check --fix', () => {
  test('mends the file that people write by hand, until it is clean', async () => {
    const config = {
      provider: { 'llama-swap': aProvider('http://127.0.0.1:8080/v1') },
      compaction: { reserved: 20_000 },
    }
    const folder = withFiles({ 'config.yaml': BOX, 'opencode.json': JSON.stringify(config) })
    const { code, stdout } = await fix(folder)
    expect(code).toBe(0)
    expect(stdout).toContain('24,576  ok\n')
    expect(stdout).not.toMatch(/error|warning/)
    expect(JSON.parse(readFileSync(join(folder, 'opencode.json'), 'utf8'))).toEqual({
      provider: {
        'llama-swap': {
          npm: '@ai-sdk/openai-compatible',
          options: { baseURL: 'http://127.0.0.1:3000/v1' },
          models: { coder: { limit: { context: 32_768, input: 32_768, output: 8192 } } },
          env: ['LLAMA_SWAP_API_KEY'],
        },
      },
      compaction: {},
    })
    expect(await fix(folder)).toMatchObject({ code: 0, stderr: '' })
  })

  test('writes the file that was named and no other', async () => {
    const theirs = JSON.stringify({ provider: { 'llama-swap': { options: { apiKey: KEY } } } })
    const named = JSON.stringify({ provider: { 'llama-swap': aProvider('http://localhost:3000') } })
    const folder = withFiles({ 'config.yaml': BOX, 'my.json': named })
    const global = join(folder, '.config/opencode/opencode.json')
    mkdirSync(join(folder, '.config/opencode'), { recursive: true })
    writeFileSync(global, theirs)
    const { stdout, stderr } = await fix(folder, ['my.json'])
    expect(readFileSync(global, 'utf8')).toBe(theirs)
    expect(stderr).toMatch(/^swapgate: my\.json was mended:\n/)
    expect(stdout).toContain('--fix leaves it alone: it is not the file that was named.')
  })

  test('makes a limit whole in the file that was named, where another one has a part of it', async () => {
    const provider = aProvider('http://127.0.0.1:3000/v1')
    const all = { npm: '@ai-sdk/openai-compatible', env: ['LLAMA_SWAP_API_KEY'] }
    const options = { baseURL: 'http://127.0.0.1:3000/v1' }
    const above = { models: { coder: { limit: { context: 16_384 } } } }
    const folder = withFiles({
      'config.yaml': BOX,
      'my.json': JSON.stringify({ provider: { 'llama-swap': above } }),
    })
    const below = JSON.stringify({ provider: { 'llama-swap': { ...provider, ...all, options } } })
    const global = join(folder, '.config/opencode/opencode.json')
    mkdirSync(join(folder, '.config/opencode'), { recursive: true })
    writeFileSync(global, below)
    const { code, stdout, stderr } = await fix(folder, ['my.json'])
    const limit = 'provider.llama-swap.models.coder.limit'
    expect(stdout).toContain('24,576  ok\n')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `swapgate: my.json was mended:
  limit-incomplete  ${limit}.context
  limit-incomplete  ${limit}.input
  limit-incomplete  ${limit}.output
`,
    })
    expect(readFileSync(join(folder, 'my.json'), 'utf8')).toBe(
      '{"provider":{"llama-swap":{"models":{"coder":{"limit":{"context":32768, "input": 32768, "output": 8192}}}}}}',
    )
    expect(readFileSync(global, 'utf8')).toBe(below)
  })

  test("takes no reserve out of a file that counts for other projects' providers, too", async () => {
    const own = {
      model: 'llama-swap/coder',
      provider: { 'llama-swap': aProvider('http://localhost:3000') },
    }
    const folder = withFiles({ 'config.yaml': BOX, 'opencode.json': JSON.stringify(own) })
    const global = join(folder, '.config/opencode/opencode.json')
    mkdirSync(join(folder, '.config/opencode'), { recursive: true })
    const below = '{ "model": "anthropic/claude-sonnet-4-5", "compaction": { "reserved": 60000 } }'
    writeFileSync(global, below)
    const { stdout } = await fix(folder)
    expect(stdout).not.toContain('[reserved-too-large]')
    expect(readFileSync(global, 'utf8')).toBe(below)
  })

  test('writes none of several files where one of them cannot be written', async () => {
    const above = JSON.stringify({ provider: { 'llama-swap': aProvider('http://localhost:3000') } })
    const folder = withFiles({ 'config.yaml': BOX, 'opencode.json': above })
    writeFileSync(join(folder, 'opencode.jsonc'), '{ "compaction": { "reserved": 32000 } }', {
      mode: 0o444,
    })
    expect(statSync(join(folder, 'opencode.jsonc')).mode & 0o222).toBe(0)
    expect(await fix(folder)).toMatchObject({
      code: 1,
      stderr: 'swapgate: opencode.jsonc cannot be written: it is read-only; nothing was written.\n',
    })
    expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe(above)
  })
})
