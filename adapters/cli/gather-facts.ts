import { existsSync } from 'node:fs'
import type { GateConfig } from '../../src/config/schema.ts'
import type { BoxFacts, CheckInput, GateFacts } from '../../src/opencode/check/check-input.ts'
import type { Finding } from '../../src/opencode/check/finding.ts'
import type { GateModels } from '../../src/connect/gate-answer.ts'
import { gateUrl } from '../../src/connect/gate-url.ts'
import { mergedValue, type ConfigFile } from '../../src/opencode/config-files.ts'
import { configPath } from '../process/load-config.ts'
import { modelConfigPlace } from '../process/model-config-file.ts'
import { askGate } from './ask-gate.ts'
import {
  configuredUrl,
  configuredUrlElsewhere,
  readBox,
  readGateConfig,
  type ReadBox,
} from './known-models.ts'
import { machineFacts } from './machine-facts.ts'
import { misused, type Outcome } from './outcome.ts'

/** Where the truth is looked for. */
export type FactSources = {
  /** OpenCode's configuration that was named. */
  opencodeFile: string | undefined
  modelFile: string | undefined
  url: string | undefined
  keyVariable: string
}

/** All that the check looks at, and what went wrong on the way to the gate. */
export type Gathered = { input: CheckInput; fromGate: Finding[] }

/** Reads everything that the check compares the files with: configurations, the gate, the environment, git. */
export async function gatherFacts(
  sources: FactSources,
  files: readonly ConfigFile[],
  env: NodeJS.ProcessEnv,
): Promise<Outcome<Gathered>> {
  const asked = await ask(sources, env)
  if (!asked.ok) return asked
  const { url, answer } = asked
  const loaded = await readGateConfig(env)
  if (!loaded.ok) return loaded
  const { config } = loaded
  const read = await boxOf(config, sources, env)
  if (!read.ok) return read
  const { box } = read
  const isUpstreamKnown = box !== undefined || existsSync(configPath(env))
  const isSure = answer ? answer.ok : isUpstreamKnown
  const input = {
    files,
    document: { value: mergedValue(files) },
    models: answer?.ok ? answer.models : box?.models,
    box: box && boxFacts(box),
    gate: {
      ...gateFacts(config, url),
      isSure,
      isUpstreamKnown,
      urlToAsk: url ?? (hasModelFile(config, env) ? undefined : configuredUrl(config)),
    },
    machine: machineFacts(files, sources, env),
  }
  return { ok: true, input, fromGate: findingsOf(answer, url) }
}

type Asked = { url: string | undefined; answer: GateModels | undefined }

async function ask(
  { url, keyVariable }: FactSources,
  env: NodeJS.ProcessEnv,
): Promise<Outcome<Asked>> {
  if (url === undefined) return { ok: true, url, answer: undefined }
  const gate = gateUrl(url)
  if (!gate.ok) return misused(gate.message)
  return { ok: true, url: gate.url, answer: await askGate({ url: gate.url, keyVariable }, env) }
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

/** Whether the models can be read here without the gate, as the commands do that take no such file. */
function hasModelFile({ upstream }: GateConfig, env: NodeJS.ProcessEnv): boolean {
  return existsSync(modelConfigPlace(upstream, configPath(env)).file)
}

function findingsOf(answer: GateModels | undefined, url = ''): Finding[] {
  if (!answer || answer.ok) return []
  return [{ ...answer.problem, severity: 'error', where: url, path: [], changes: [] }]
}

function boxFacts({ fileName, config }: ReadBox): BoxFacts {
  const faults = new Map([...config.models].map(([id, model]) => [id, model.faults]))
  return { fileName, groups: config.groups, faults }
}

function gateFacts(
  config: GateConfig,
  url: string | undefined,
): Omit<GateFacts, 'isSure' | 'isUpstreamKnown' | 'urlToAsk'> {
  // Where a public address is configured, the gate is still reached at its own, too.
  const own = { listen: config.listen, publicUrl: undefined }
  const elsewhere = configuredUrlElsewhere(own)
  return {
    urls:
      url === undefined
        ? [
            configuredUrl(config),
            configuredUrl(own),
            ...(elsewhere === undefined ? [] : [elsewhere]),
          ]
        : [url],
    isNamed: url !== undefined,
    modelFile: config.upstream.configFile.replace(/^\.\//, ''),
    upstreamUrl: config.upstream.url,
    heartbeat: config.heartbeat,
  }
}
