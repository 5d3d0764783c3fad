import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { GateConfig } from '../../src/config/schema.ts'
import type {
  BoxFacts,
  CheckInput,
  GateFacts,
  MachineFacts,
} from '../../src/opencode/check/check-input.ts'
import type { Finding } from '../../src/opencode/check/finding.ts'
import type { GateModels } from '../../src/opencode/check/gate-answer.ts'
import type { JsoncDocument } from '../../src/opencode/jsonc.ts'
import { askGate } from './ask-gate.ts'
import { isShared } from './is-shared.ts'
import {
  configuredUrl,
  configuredUrlElsewhere,
  readBox,
  readGateConfig,
  type ReadBox,
} from './known-models.ts'
import { tell, type Outcome } from './outcome.ts'

/** OpenCode's configuration, as it was read. */
export type OpenFile = { path: string; document: JsoncDocument }

/** Where the truth is looked for. */
export type FactSources = {
  modelFile: string | undefined
  url: string | undefined
  keyVariable: string
}

/** All that the check looks at, and what went wrong on the way to the gate. */
export type Gathered = { input: CheckInput; fromGate: Finding[] }

/** Reads everything that the check compares the file with: configurations, the gate, the environment, git. */
export async function gatherFacts(
  sources: FactSources,
  { path, document }: OpenFile,
  env: NodeJS.ProcessEnv,
): Promise<Outcome<Gathered>> {
  const loaded = await readGateConfig(env)
  if (!loaded.ok) return loaded
  const { config } = loaded
  const { url, keyVariable } = sources
  const read = await boxOf(config, sources, env)
  if (!read.ok) return read
  const { box } = read
  const answer = url === undefined ? undefined : await askGate({ url, keyVariable }, env)
  if (!answer && !box)
    tell(
      `${config.upstream.configFile} is not there, so the real contexts are not known; --url asks a gate that runs.`,
    )
  const input = {
    document,
    fileName: path,
    models: answer?.ok ? answer.models : box?.models,
    box: box && boxFacts(box),
    gate: gateFacts(config, url),
    machine: machineFacts(path, keyVariable, env),
  }
  return { ok: true, input, fromGate: findingsOf(answer, url) }
}

/** With a gate to ask, llama-swap's configuration counts only where it was named: what stands here may be another box's. */
async function boxOf(
  config: GateConfig,
  { url, modelFile }: FactSources,
  env: NodeJS.ProcessEnv,
): ReturnType<typeof readBox> {
  if (url !== undefined && modelFile === undefined) return { ok: true, box: undefined }
  return readBox(config, env, modelFile)
}

function findingsOf(answer: GateModels | undefined, url = ''): Finding[] {
  if (!answer || answer.ok) return []
  return [{ ...answer.problem, severity: 'error', where: url, path: [], changes: [] }]
}

function boxFacts({ fileName, config }: ReadBox): BoxFacts {
  const faults = new Map([...config.models].map(([id, model]) => [id, model.faults]))
  return { fileName, groups: config.groups, faults }
}

function gateFacts(config: GateConfig, url: string | undefined): GateFacts {
  const elsewhere = configuredUrlElsewhere(config)
  return {
    urls:
      url === undefined
        ? [configuredUrl(config), ...(elsewhere === undefined ? [] : [elsewhere])]
        : [url],
    isNamed: url !== undefined,
    upstreamUrl: config.upstream.url,
    heartbeat: config.heartbeat,
  }
}

function machineFacts(path: string, keyVariable: string, env: NodeJS.ProcessEnv): MachineFacts {
  const most = Number(env['OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX'])
  return {
    variables: new Set(Object.keys(env).filter((name) => env[name])),
    noProxy: env['NO_PROXY'] || env['no_proxy'] || '',
    outputTokenMax: Number.isInteger(most) && most > 0 ? most : undefined,
    keyVariable,
    isShared: isShared(resolve(path)),
    canRead: (name) =>
      canRead(
        name.startsWith('~/') ? resolve(homedir(), name.slice(2)) : resolve(dirname(path), name),
      ),
  }
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
