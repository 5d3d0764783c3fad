import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createModelConfigFile,
  modelConfigPlace,
  type ModelConfigPlace,
} from '../../../adapters/process/model-config-file.ts'
import { readModelConfig } from '../../../src/llama-swap/config/read-config.ts'

type Opened = ModelConfigPlace & {
  folder: string
  warnings: string[]
  source: ReturnType<typeof createModelConfigFile>
}

/** A place in a folder of its own, and the source that reads it. */
function open(env: NodeJS.ProcessEnv = {}, hasFolder = false): Opened {
  const root = mkdtempSync(join(tmpdir(), 'swapgate-models-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const file = join(root, 'config.yaml')
  const folder = join(root, 'more')
  const warnings: string[] = []
  const place = { file, folder: hasFolder ? folder : undefined }
  const source = createModelConfigFile(place, (message) => void warnings.push(message), env)
  return { file, folder, warnings, source }
}

const ONE = 'models: { a: { cmd: "x ${PORT}" } }\n'
const TWO = 'models: { a: { cmd: "x ${PORT}" }, b: { cmd: "y ${PORT}" } }\n'
const OTHER = 'models: { c: { cmd: "z ${PORT} ${m}" } }\n'

describe('the file', () => {
  test('is read when it is there, and again when it has changed', async () => {
    const { file, source, warnings } = open()
    expect(await source.read()).toBeUndefined()
    writeFileSync(file, ONE)
    const first = await source.read()
    expect(first).toEqual(readModelConfig([ONE], {}))
    expect(await source.read()).toBe(first)
    writeFileSync(file, TWO)
    expect(await source.read()).toEqual(readModelConfig([TWO], {}))
    expect(warnings).toEqual([])
  })

  test('is read once for all who ask meanwhile, and none of them gets less', async () => {
    const { file, source } = open()
    writeFileSync(file, ONE)
    const [first, second] = await Promise.all([source.read(), source.read()])
    writeFileSync(file, TWO)
    const [third, fourth] = await Promise.all([source.read(), source.read()])
    expect([first, second, third, fourth]).toEqual([
      readModelConfig([ONE], {}),
      first,
      readModelConfig([TWO], {}),
      third,
    ])
  })

  test('that is broken or gone leaves what was last read, and a broken one is told once', async () => {
    const { file, source, warnings } = open()
    writeFileSync(file, ONE)
    await source.read()
    writeFileSync(file, 'models: [a')
    const broken = [await source.read(), await source.read()]
    rmSync(file)
    const gone = await source.read()
    expect([...broken, gone]).toEqual(Array.from({ length: 3 }, () => readModelConfig([ONE], {})))
    expect(warnings).toEqual([
      expect.stringMatching(/config\.yaml cannot be read as llama-swap's configuration: .*line 1/),
    ])
  })

  test('gets the variables around the gate', async () => {
    const { file, source } = open({ CTX: '4096', LLAMA_ARG_N_PARALLEL: '2' })
    writeFileSync(file, 'models: { a: { cmd: "llama-server --port ${PORT} -c ${env.CTX}" } }')
    const config = await source.read()
    expect(config?.models.get('a')?.context).toMatchObject({ tokens: 2048 })
  })

  test('is told of, once per change, for each thing that llama-swap would refuse', async () => {
    const { file, source, warnings } = open()
    writeFileSync(file, 'models: { a: { cmd: "x ${PORT} ${m} ${env.X}", aliases: b } }')
    await source.read()
    await source.read()
    expect(warnings).toEqual([
      `${file}: models.a.cmd: the variable X is not set here; llama-swap does not start without it`,
      `${file}: models.a.cmd: unknown macro \${m}; llama-swap refuses it`,
      `${file}: models.a.aliases: must be a list`,
    ])
  })

  test('may name variables that the gate may not read; that is told, too', async () => {
    const env = new Proxy<NodeJS.ProcessEnv>({}, { get: refuse })
    const { file, source, warnings } = open(env)
    writeFileSync(file, 'models: { a: { cmd: "x ${PORT} ${env.X}" } }')
    await source.read()
    expect(warnings).toEqual([
      `${file}: models.a.cmd: the variable X is not set here; llama-swap does not start without it`,
      `${file}: the gate may not read the variable X. Add it to Deno's --allow-env.`,
    ])
  })
})

function refuse(): never {
  throw new Error('Requires env access')
}

describe('the folder', () => {
  test('adds its YAML files by name, and is read again when one of them comes, changes or goes', async () => {
    const { file, folder, source, warnings } = open({}, true)
    mkdirSync(folder)
    writeFileSync(file, ONE)
    expect(await source.read()).toEqual(readModelConfig([ONE], {}))
    writeFileSync(join(folder, 'b.yml'), 'macros: { m: 1 }')
    writeFileSync(join(folder, 'a.yaml'), OTHER)
    writeFileSync(join(folder, 'c.txt'), 'models: [')
    expect(await source.read()).toEqual(readModelConfig([ONE, OTHER, 'macros: { m: 1 }'], {}))
    writeFileSync(join(folder, 'b.yml'), 'macros: { m: 22 }')
    expect(await source.read()).toEqual(readModelConfig([ONE, OTHER, 'macros: { m: 22 }'], {}))
    rmSync(join(folder, 'a.yaml'))
    expect(await source.read()).toEqual(readModelConfig([ONE, 'macros: { m: 22 }'], {}))
    expect(warnings).toEqual([])
  })

  test('may hold everything', async () => {
    const { folder, source, warnings } = open({}, true)
    mkdirSync(folder)
    writeFileSync(join(folder, 'a.yaml'), ONE)
    expect(await source.read()).toEqual(readModelConfig([ONE], {}))
    expect(warnings).toEqual([])
  })

  test('is told when it is not there, and the broken one of several files by its name', async () => {
    const { file, folder, source, warnings } = open({}, true)
    writeFileSync(file, ONE)
    expect(await source.read()).toEqual(readModelConfig([ONE], {}))
    mkdirSync(folder)
    writeFileSync(join(folder, 'x.yaml'), 'models: [')
    expect(await source.read()).toEqual(readModelConfig([ONE], {}))
    writeFileSync(join(folder, 'x.yaml'), 'models: { a: { cmd: y } }')
    await source.read()
    expect(warnings).toEqual([
      expect.stringMatching(
        /more cannot be read \(ENOENT.*\)\. Set upstream\.configDir to the folder of llama-swap's -config-dir\.$/,
      ),
      expect.stringMatching(/x\.yaml cannot be read as llama-swap's configuration: /),
      `${file}, ${join(folder, 'x.yaml')}: models.a: stands in two files; llama-swap refuses them, and here the first one counts`,
    ])
  })
})

test('the place is found from the home directory or from where the configuration stands', () => {
  const upstream = {
    kind: 'llama-swap',
    url: 'http://x',
    askModels: true,
    headers: {},
  } as const
  expect([
    modelConfigPlace(
      { ...upstream, configFile: '~/swap.yaml', configDir: './more' },
      '/etc/gate/config.json',
    ),
    modelConfigPlace({ ...upstream, configFile: './config.yaml' }, '/etc/gate/config.json'),
  ]).toEqual([
    { file: join(homedir(), 'swap.yaml'), folder: '/etc/gate/more' },
    { file: '/etc/gate/config.yaml', folder: undefined },
  ])
})
