import { parse } from 'yaml'
import { USUAL_CONCURRENCY, type ModelConfig, type ModelGroup } from './model-config.ts'
import type { ModelNames } from './model-names.ts'
import { entries, field, texts } from './read-unknown.ts'

/**
 * What llama-swap's own configuration file says of models: names, groups, how many requests one takes.
 *
 * @throws Error with yaml's message, which names line and column, when the text is not YAML
 */
export function readModelConfig(text: string): ModelConfig {
  // Every scalar as text, as llama-swap reads its names: an alias `7` is "7", not a number.
  const config: unknown = parse(text, { merge: true, schema: 'failsafe', logLevel: 'error' })
  return {
    names: namesIn(config),
    groups: groupsIn(config),
    remote: new Set(peerModels(config).map(({ id }) => id)),
    llamaCpp: llamaCppIn(config),
    models: new Map(),
    concurrency: concurrencyIn(config),
  }
}

/**
 * The names: models, aliases, the extra ids of `setParamsByID`, selectors, the pins of profiles, and the models of
 * peers. The listing leaves out `unlisted` models and says nothing of pins.
 */
function namesIn(config: unknown): ModelNames {
  const ids = new Set<string>()
  const aliases = new Map<string, string>()
  for (const [id, model] of entries(field(config, 'models'))) {
    ids.add(id)
    for (const alias of texts(field(model, 'aliases'))) aliases.set(alias, id)
    for (const [variant] of entries(field(field(model, 'filters'), 'setParamsByID')))
      if (!ids.has(variant)) aliases.set(variant.replaceAll('${MODEL_ID}', id), id)
  }
  for (const id of ids) aliases.delete(id)
  addPeers(config, ids, aliases)
  return { ids, aliases, selectors: selectorsIn(config), pins: pinsIn(config) }
}

function peerModels(config: unknown): Array<{ model: string; id: string }> {
  return entries(field(config, 'peers')).flatMap(([peer, about]) =>
    texts(field(about, 'models')).map((model) => ({ model, id: `${peer}/${model}` })),
  )
}

function addPeers(config: unknown, ids: Set<string>, aliases: Map<string, string>): void {
  const offered = peerModels(config)
  for (const { model, id } of offered) {
    ids.add(id)
    // The bare name reaches the peer when it is the only one that has it.
    const isUnique = offered.filter((other) => other.model === model).length === 1
    if (isUnique && !ids.has(model) && !aliases.has(model)) aliases.set(model, id)
  }
}

function selectorsIn(config: unknown): Map<string, string[]> {
  return new Map(
    entries(field(config, 'selectors')).map(([id, about]) => [id, texts(field(about, 'targets'))]),
  )
}

/** A pin without a target closes a name while its profile is active. */
const NO_TARGET = /^(?:|~|null)$/i

function pinsIn(config: unknown): Map<string, string[]> {
  const pins = new Map<string, string[]>()
  for (const [, profile] of entries(field(config, 'profiles')))
    for (const [from, to] of entries(field(profile, 'pins')))
      if (typeof to === 'string' && !NO_TARGET.test(to))
        pins.set(from, [...(pins.get(from) ?? []), to])
  return pins
}

/** `groups` stood at the top before it moved below `routing.router.settings`. */
function groupsIn(config: unknown): ModelGroup[] {
  const settings = field(field(field(config, 'routing'), 'router'), 'settings')
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

/** The program by its name, anywhere in the command: behind a path, in a container, behind `env`. */
const LLAMA_SERVER = /\bllama-server\b/

function llamaCppIn(config: unknown): Set<string> {
  const commands = entries(field(config, 'models')).flatMap(([id, model]) => {
    const cmd = field(model, 'cmd')
    return typeof cmd === 'string' && LLAMA_SERVER.test(cmd) ? [id] : []
  })
  return new Set(commands)
}

function concurrencyIn(config: unknown): Map<string, number> {
  return new Map(
    entries(field(config, 'models')).map(([id, model]) => {
      const written = Number(field(model, 'concurrencyLimit') ?? 0)
      return [id, written > 0 ? Math.floor(written) : USUAL_CONCURRENCY]
    }),
  )
}
