import { withoutSlash } from '../../src/config/without-slash.ts'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { GateConfig } from '../../src/config/schema.ts'
import type { CatalogueModel } from '../../src/llama-swap/catalogue.ts'
import { catalogueOfConfig } from '../../src/llama-swap/config/config-catalogue.ts'
import type { ModelConfig } from '../../src/llama-swap/model-config.ts'
import { isSameHost } from '../../src/opencode/check/providers-of-gate.ts'
import { gateUrl } from '../../src/connect/gate-url.ts'
import { configPath, loadConfig } from '../process/load-config.ts'
import { createModelConfigFile, modelConfigPlace } from '../process/model-config-file.ts'
import { absolute } from './opencode-files.ts'
import { failed, misused, missing, tell, type Outcome } from './outcome.ts'
import { askGate, type GateQuestion } from './ask-gate.ts'
import { reachable, urlElsewhere } from './paste-url.ts'
import { showAddress } from './port.ts'

/** llama-swap's own configuration, as it was read. */
export type ReadBox = { fileName: string; config: ModelConfig; models: CatalogueModel[] }

/** The gate's configuration; a file that is not there is no fault, as when the gate starts. */
export async function readGateConfig(
  env: NodeJS.ProcessEnv,
): Promise<Outcome<{ config: GateConfig }>> {
  const loaded = await loadConfig(env)
  if (!loaded.ok) return misused(loaded.message)
  return { ok: true, config: loaded.config }
}

/** llama-swap's configuration: the named file, or the one that the gate's configuration names; undefined without one. */
export async function readBox(
  config: GateConfig,
  env: NodeJS.ProcessEnv,
  named?: string,
): Promise<Outcome<{ box: ReadBox | undefined }>> {
  const place = modelConfigPlace(config.upstream, configPath(env))
  const found = named === undefined ? place : { file: absolute(named), folder: undefined }
  if (named !== undefined && !existsSync(found.file)) return missing(`there is no file ${named}.`)
  const read = await createModelConfigFile(found, tell, env).read()
  if (!read) {
    return existsSync(found.file)
      ? misused(
          `${named ?? config.upstream.configFile} cannot be used; what is wrong stands above.`,
        )
      : { ok: true, box: undefined }
  }
  const fileName = named ?? config.upstream.configFile.replace(/^\.\//, '')
  return {
    ok: true,
    box: { fileName, config: read, models: catalogueOfConfig(read, config.contexts) },
  }
}

type Place = Pick<GateConfig, 'publicUrl' | 'listen'>

/** Where clients reach the gate as its configuration says it, without a trailing slash. */
export function configuredUrl({ publicUrl, listen }: Place): string {
  if (publicUrl !== undefined) return withoutSlash(publicUrl)
  return reachable(`http://${showAddress(listen)}`)
}

/** Where other machines reach it, when it listens for them at an address that is not one to go to. */
export function configuredUrlElsewhere({ publicUrl, listen }: Place): string | undefined {
  if (publicUrl !== undefined) return undefined
  return urlElsewhere(`http://${showAddress(listen)}`, hostname())
}

/** What a client is set up for: a gate, and the models that it may use there. */
export type Known = {
  baseUrl: string
  /** All addresses of the same gate that are known here, without a trailing slash. */
  gateUrls: string[]
  /** Where llama-swap listens behind the gate: as configured here, or where it usually does. */
  upstreamUrl: string | undefined
  models: CatalogueModel[]
  notes: string[]
}

/** Asks the gate at `url`, or reads the configurations of gate and llama-swap. */
export async function knownModels(
  { url, keyVariable }: { url: string | undefined; keyVariable: string },
  env: NodeJS.ProcessEnv,
): Promise<Outcome<Known>> {
  if (url !== undefined) return modelsOfGate({ url, keyVariable }, env)
  const loaded = await readGateConfig(env)
  if (!loaded.ok) return loaded
  const { config } = loaded
  const read = await readBox(config, env)
  if (!read.ok) return read
  if (!read.box)
    return misused(
      `${config.upstream.configFile} is not there, so no model is known here. Ask a gate that runs, with your key in ${keyVariable}: --url ${configuredUrl(config)}`,
    )
  const elsewhere = configuredUrlElsewhere(config)
  const notes =
    elsewhere === undefined
      ? []
      : [`On other machines, write ${elsewhere} in place of ${configuredUrl(config)}.`]
  const { models } = read.box
  return {
    ok: true,
    baseUrl: configuredUrl(config),
    gateUrls: configuredUrls(config),
    upstreamUrl: config.upstream.url,
    models,
    notes,
  }
}

function configuredUrls(config: GateConfig): string[] {
  const local = { listen: config.listen, publicUrl: undefined }
  const elsewhere = configuredUrlElsewhere(local)
  return [configuredUrl(config), configuredUrl(local), ...(elsewhere ? [elsewhere] : [])]
}

/** The configuration that is read here may be that of another gate. */
function otherUrls(url: string, config: GateConfig): string[] {
  const urls = configuredUrls(config)
  const { pathname } = new URL(url)
  const isHere = urls
    .map((each) => new URL(each))
    .some((each) => isSameHost(each, url) && each.pathname === pathname)
  return isHere ? urls : []
}

async function modelsOfGate(
  { url, keyVariable }: GateQuestion,
  env: NodeJS.ProcessEnv,
): Promise<Outcome<Known>> {
  const gate = gateUrl(url)
  if (!gate.ok) return misused(gate.message)
  const answer = await askGate({ url: gate.url, keyVariable }, env)
  if (answer.ok) {
    const loaded = await loadConfig(env)
    const others = loaded.ok ? otherUrls(gate.url, loaded.config) : []
    return {
      ok: true,
      baseUrl: gate.url,
      gateUrls: [gate.url, ...others],
      upstreamUrl: loaded.ok ? loaded.config.upstream.url : undefined,
      models: answer.models,
      notes: [],
    }
  }
  const { code, message, fix } = answer.problem
  const text = `${message}\n${fix}`
  return code === 'gate-key-unset' ? misused(text) : failed(text)
}
