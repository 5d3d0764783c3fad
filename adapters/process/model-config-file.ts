import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GateConfig } from '../../src/config/schema.ts'
import type { ModelConfigSource } from '../../src/deps.ts'
import type { ModelConfig } from '../../src/llama-swap/model-config.ts'
import { configOfSources } from '../../src/llama-swap/config/read-config.ts'
import { readSource } from '../../src/llama-swap/config/read-source.ts'
import { resolved } from './load-config.ts'
import { readableEnvironment, type ReadableEnvironment } from './readable-environment.ts'

/** Where llama-swap's configuration is: absolute paths of `-config` and of `-config-dir`. */
export type ModelConfigPlace = { file: string; folder: string | undefined }

type Warn = (message: string) => void

/** The place that the gate's configuration names; `configFile` is that configuration's own path. */
export function modelConfigPlace(
  { configFile: file, configDir }: GateConfig['upstream'],
  configFile: string,
): ModelConfigPlace {
  const folder = configDir === undefined ? undefined : resolved(configDir, configFile)
  return { file: resolved(file, configFile), folder }
}

/**
 * What stands in llama-swap's configuration, read again when any of its files has changed, come or gone. Files that are
 * gone or not valid leave what was last read. What is wrong is told once per change through `warn`, one line each.
 */
export function createModelConfigFile(
  place: ModelConfigPlace,
  warn: Warn,
  variables: NodeJS.ProcessEnv = process.env,
): ModelConfigSource {
  let config: ModelConfig | undefined
  let version = ''
  let underWay: Promise<ModelConfig | undefined> | undefined

  async function readChanged(): Promise<ModelConfig | undefined> {
    const { paths, fault } = await configPaths(place)
    const seen = (await Promise.all(paths.map(versionOf))).join('') + (fault ?? '')
    if (seen === version) return config
    if (fault !== undefined) warn(fault)
    config = (await readFiles(paths, variables, warn)) ?? config
    version = seen
    return config
  }

  return {
    // Who comes meanwhile waits for the same: without the pins of profiles a key would reach more than it may.
    read: () => (underWay ??= readChanged().finally(() => (underWay = undefined))),
  }
}

async function versionOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found ? `${path} ${found.mtimeMs} ${found.size} ${found.ino}\n` : ''
}

/** As llama-swap reads them: the file, then those of the folder by name. A file that is named twice is read once. */
async function configPaths({ file, folder }: ModelConfigPlace): Promise<{
  paths: string[]
  fault?: string
}> {
  const found = await stat(file).catch(() => undefined)
  const first = found ? [file] : []
  if (folder === undefined) return { paths: first }
  try {
    const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted()
    const others = names.map((name) => join(folder, name)).filter((path) => path !== file)
    return { paths: [...first, ...others] }
  } catch (error) {
    const fault = `${folder} cannot be read (${reason(error)}). Set upstream.configDir to the folder of llama-swap's -config-dir.`
    return { paths: first, fault }
  }
}

async function readFiles(
  paths: readonly string[],
  variables: NodeJS.ProcessEnv,
  warn: Warn,
): Promise<ModelConfig | undefined> {
  if (paths.length === 0) return undefined
  const { env, denied } = readableEnvironment(variables)
  const told: string[] = []
  try {
    const sources: unknown[] = []
    for (const path of paths) sources.push(await sourceOf(path, env, told))
    const config = configOfSources(sources, env, told)
    const named = paths.join(', ')
    for (const problem of config.problems) warn(`${named}: ${problem}`)
    for (const name of denied)
      if (config.problems.some((problem) => problem.includes(` ${name} is not set`)))
        warn(`${named}: the gate may not read the variable ${name}. Add it to Deno's --allow-env.`)
    return config
  } catch (error) {
    warn(reason(error))
    return undefined
  }
}

/** Each file alone, so that what is wrong in it is told with its name. */
async function sourceOf(
  path: string,
  env: ReadableEnvironment['env'],
  told: string[],
): Promise<unknown> {
  try {
    const text = await readFile(path, 'utf8')
    return readSource(text, env, (problem) => void told.push(problem))
  } catch (error) {
    throw new Error(`${path} cannot be read as llama-swap's configuration: ${reason(error)}`, {
      cause: error,
    })
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
