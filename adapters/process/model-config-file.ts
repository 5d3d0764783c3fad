import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GateConfig } from '../../src/config/schema.ts'
import type { ModelConfigSource } from '../../src/deps.ts'
import type { ModelConfig } from '../../src/llama-swap/model-config.ts'
import { readModelConfig } from '../../src/llama-swap/read-config.ts'
import { resolved } from './load-config.ts'
import { readableEnvironment } from './readable-environment.ts'

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
  return {
    async read() {
      const { paths, fault } = await configPaths(place)
      const seen = (await Promise.all(paths.map(versionOf))).join('') + (fault ?? '')
      if (seen === version) return config
      version = seen
      if (fault !== undefined) warn(fault)
      config = (await readFiles(paths, variables, warn)) ?? config
      return config
    },
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
  const texts: string[] = []
  try {
    for (const path of paths) texts.push(await textOf(path, env))
    const config = readModelConfig(texts, env)
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
async function textOf(path: string, env: Parameters<typeof readModelConfig>[1]): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    readModelConfig([text], env)
    return text
  } catch (error) {
    throw new Error(`${path} cannot be read as llama-swap's configuration: ${reason(error)}`, {
      cause: error,
    })
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
