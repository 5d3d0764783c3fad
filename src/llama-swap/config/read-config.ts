import { tellShapes } from './config-shape.ts'
import { expandMacros } from './expand-macros.ts'
import { llamaVariables } from '../command/llama-flags.ts'
import { mergeConfigs } from './merge-configs.ts'
import {
  USUAL_CONCURRENCY,
  type ModelConfig,
  type ModelFacts,
  type ModelGroup,
} from '../model-config.ts'
import type { ModelNames } from '../model-names.ts'
import { readFacts, type ReadModel } from './read-facts.ts'
import { namesIn, peerModels } from './read-names.ts'
import { readSource, type Tell } from './read-source.ts'
import { entries, field, texts } from '../../json/read-unknown.ts'
import { isMapping } from './yaml-kind.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * What llama-swap's own configuration says of models: names, groups, how many requests one takes, and the context that
 * one request gets.
 *
 * @param files the text of `-config`, then those of the files in `-config-dir`, sorted by name
 * @param env llama-swap's environment, or the one that is most like it: for `${env.NAME}` and for `LLAMA_ARG_*`
 * @throws Error that names line and column, and nothing that stands there, when a text is not YAML
 */
export function readModelConfig(files: readonly string[], env: Env): ModelConfig {
  const told: string[] = []
  const sources = files.map((file) => readSource(file, env, (problem) => void told.push(problem)))
  return configOfSources(sources, env, told)
}

/**
 * The same of files that `readSource` has read.
 *
 * @param told the problems that it told
 */
export function configOfSources(
  sources: readonly unknown[],
  env: Env,
  told: readonly string[],
): ModelConfig {
  const problems = new Set(told)
  const tell: Tell = (problem) => void problems.add(problem)
  const config = expandMacros(mergeConfigs(sources, tell), tell)
  tellShapes(config, tell)
  const names = namesIn(config)
  const models = modelsIn(config, env)
  return {
    names,
    groups: groupsIn(config),
    remote: new Set(peerModels(config).map(({ id }) => id)),
    llamaCpp: new Set(
      models.filter(([, { call }]) => call.kind === 'llama-server').map(([id]) => id),
    ),
    models: new Map(models.map(([id, { facts }]) => [id, withAliases(id, facts, names)])),
    concurrency: concurrencyIn(config),
    problems: [...problems],
  }
}

function modelsIn(config: unknown, env: Env): Array<[string, ReadModel]> {
  const inherited = llamaVariables(env)
  const models = entries(field(config, 'models'))
  return models.map(([id, model]) => [id, readFacts(id, model, inherited)])
}

/** All names that stand for the model, also the extra ids of `setParamsByID`. */
function withAliases(id: string, facts: ModelFacts, { aliases }: ModelNames): ModelFacts {
  return { ...facts, aliases: [...aliases].flatMap(([alias, of]) => (of === id ? [alias] : [])) }
}

/**
 * `groups` stood at the top before it moved below `routing.router.settings`. A matrix takes the place of groups; what it
 * allows side by side is not known here, so each of its models counts as one that puts the others out.
 */
function groupsIn(config: unknown): ModelGroup[] {
  const router = field(field(config, 'routing'), 'router')
  if (isMapping(field(config, 'matrix')) || field(router, 'use') === 'matrix') return []
  const settings = field(router, 'settings')
  const groups = [...entries(field(config, 'groups')), ...entries(field(settings, 'groups'))]
  return groups.map(([id, about]) => ({
    id,
    swap: flag(field(about, 'swap'), true),
    exclusive: flag(field(about, 'exclusive'), true),
    persistent: flag(field(about, 'persistent'), false),
    members: texts(field(about, 'members')),
  }))
}

function flag(value: unknown, fallback: boolean): boolean {
  return typeof value === 'string' && value !== '' ? /^true$/i.test(value) : fallback
}

function concurrencyIn(config: unknown): Map<string, number> {
  return new Map(
    entries(field(config, 'models')).map(([id, model]) => {
      const written = Number(field(model, 'concurrencyLimit') ?? 0)
      return [id, written > 0 ? Math.floor(written) : USUAL_CONCURRENCY]
    }),
  )
}
