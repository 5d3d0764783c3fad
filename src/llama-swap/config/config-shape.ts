import { placeOf } from './map-texts.ts'
import type { Tell } from './read-source.ts'
import { entries, field, texts } from '../../json/read-unknown.ts'
import { isMapping, isNothing } from './yaml-kind.ts'

type Kind = 'mapping' | 'list' | 'text' | 'number' | 'truth value'

/** What the gate reads of a configuration; `*` is every key. */
const SHAPES: ReadonlyArray<[string, Kind]> = [
  ['models', 'mapping'],
  ['models.*', 'mapping'],
  ['models.*.cmd', 'text'],
  ['models.*.name', 'text'],
  ['models.*.description', 'text'],
  ['models.*.aliases', 'list'],
  ['models.*.env', 'list'],
  ['models.*.unlisted', 'truth value'],
  ['models.*.concurrencyLimit', 'number'],
  ['models.*.filters', 'mapping'],
  ['models.*.filters.setParamsByID', 'mapping'],
  ['models.*.metadata', 'mapping'],
  ['models.*.capabilities', 'mapping'],
  ['models.*.capabilities.in', 'list'],
  ['models.*.capabilities.out', 'list'],
  ['models.*.capabilities.tools', 'truth value'],
  ['models.*.capabilities.reranker', 'truth value'],
  ['models.*.capabilities.context', 'number'],
  ['groups', 'mapping'],
  ['groups.*', 'mapping'],
  ['groups.*.members', 'list'],
  ['routing', 'mapping'],
  ['routing.router', 'mapping'],
  ['routing.router.settings', 'mapping'],
  ['routing.router.settings.groups', 'mapping'],
  ['routing.router.settings.groups.*', 'mapping'],
  ['routing.router.settings.groups.*.members', 'list'],
  ['selectors', 'mapping'],
  ['selectors.*', 'mapping'],
  ['selectors.*.targets', 'list'],
  ['profiles', 'mapping'],
  ['profiles.*', 'mapping'],
  ['profiles.*.pins', 'mapping'],
  ['peers', 'mapping'],
  ['peers.*', 'mapping'],
  ['peers.*.models', 'list'],
]

const IS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  mapping: isMapping,
  list: Array.isArray,
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'string' && /^[+-]?(?:\d[\d_]*|0x[\da-f]+)$/i.test(value),
  'truth value': (value) =>
    typeof value === 'string' && /^(?:true|false|yes|no|on|off)$/i.test(value),
}

/** Tells every part of a configuration that is not of the kind that llama-swap expects, and names that it refuses. */
export function tellShapes(config: unknown, tell: Tell): void {
  if (isNothing(config)) return
  if (!isMapping(config)) {
    tell('the file: must be a mapping with models and the like')
    return
  }
  for (const [path, kind] of SHAPES)
    for (const [place, value] of valuesAt(config, path.split('.')))
      if (!isNothing(value) && !IS[kind](value)) tell(`${place}: must be a ${kind}`)
  tellCommands(config, tell)
  tellAliases(config, tell)
  tellVariants(config, tell)
  tellModalities(config, tell)
  tellGroups(config, tell)
}

function valuesAt(value: unknown, path: readonly string[], place = ''): Array<[string, unknown]> {
  const [name, ...rest] = path
  if (name === undefined) return [[place, value]]
  if (!isMapping(value)) return []
  const keys = name === '*' ? Object.keys(value) : [name]
  return keys.flatMap((key) => valuesAt(field(value, key), rest, placeOf(place, key)))
}

function tellCommands(config: unknown, tell: Tell): void {
  for (const [place, model] of valuesAt(config, ['models', '*']))
    if ((isMapping(model) || isNothing(model)) && isNothing(field(model, 'cmd')))
      tell(`${place}.cmd: is missing, so llama-swap cannot start this model`)
}

function tellAliases(config: unknown, tell: Tell): void {
  const models = entries(field(config, 'models'))
  const owners = new Map<string, string>()
  for (const [id, model] of models)
    for (const alias of texts(field(model, 'aliases'))) {
      const owner = owners.get(alias)
      if (owner === undefined) owners.set(alias, id)
      else
        tell(
          `models.${id}.aliases: ${alias} is an alias of ${owner} already; llama-swap refuses it`,
        )
    }
}

function tellVariants(config: unknown, tell: Tell): void {
  for (const [place, variants] of valuesAt(config, ['models', '*', 'filters', 'setParamsByID']))
    for (const [id] of entries(variants))
      if (!place.startsWith(`models.${id}.`) && Object.hasOwn(Object(field(config, 'models')), id))
        tell(`${place}: ${id} is a model already; llama-swap refuses it`)
}

/** Source: `validModalities` of llama-swap. */
const MODALITIES = ['text', 'audio', 'image']

function tellModalities(config: unknown, tell: Tell): void {
  const lists = ['in', 'out'].flatMap((name) =>
    valuesAt(config, ['models', '*', 'capabilities', name]),
  )
  for (const [place, modalities] of lists)
    if (!texts(modalities).every((modality) => MODALITIES.includes(modality)))
      tell(`${place}: llama-swap knows ${MODALITIES.join(', ')} only`)
}

function tellGroups(config: unknown, tell: Tell): void {
  const old = ['groups', 'matrix'].filter((name) => !isNothing(field(config, name)))
  const router = field(field(config, 'routing'), 'router')
  if (old.length > 0 && isMapping(router))
    tell(`${old.join(', ')}: llama-swap refuses it beside routing.router; move it there`)
  const groupOf = new Map<string, string>()
  for (const [place, members] of valuesAt(config, ['groups', '*', 'members']))
    for (const member of texts(members)) {
      const former = groupOf.get(member)
      if (former === undefined) groupOf.set(member, place)
      else tell(`${place}: ${member} is in ${former} already; llama-swap refuses it`)
    }
}
