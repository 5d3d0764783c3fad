import { mapTexts, placeOf } from './map-texts.ts'
import type { Tell } from './read-source.ts'
import { entries, field } from '../../json/read-unknown.ts'
import { isMapping, isNothing } from './yaml-kind.ts'

type Macro = readonly [name: string, value: string]

const MACRO = /\$\{([a-zA-Z0-9_-]+)\}/g
const USUAL_START_PORT = 5800
/** Where llama-swap looks for macros; it passes over keys that it does not know. */
const KNOWN_KEYS = new Set(
  `healthCheckTimeout logRequests logLevel logTimeFormat logToStdout metricsMaxInMemory captureBuffer store ui
  performance globalTTL unloadTimeout models profiles selectors routing groups matrix startPort hooks sendLoadingState
  includeAliasesInList apiKeys peers upstream`.split(/\s+/),
)

/**
 * Replaces the macros of a configuration as llama-swap does: those of a model go before the global ones, one may use
 * those that were declared before it, and `${PORT}` counts up in the order of the models' ids. A macro that nobody
 * declared stays, and is told.
 */
export function expandMacros(config: unknown, tell: Tell): unknown {
  if (!isMapping(config)) return config
  const globals = macrosIn(config['macros'], 'macros', tell)
  const { macros: _declared, models, ...rest } = config
  const expanded = Object.entries(rest).map(([key, value]): [string, unknown] => {
    const replaced = replaceAll(value, globals)
    if (KNOWN_KEYS.has(key)) tellUnknown(replaced, key, tell)
    return [key, replaced]
  })
  const all = Object.fromEntries(expanded)
  return { ...all, models: expandModels(models, { globals, port: startPort(all), tell }) }
}

type Scope = { globals: readonly Macro[]; port: number; tell: Tell }

function expandModels(models: unknown, { globals, port, tell }: Scope): unknown {
  if (!isMapping(models)) return models
  let nextPort = port
  const expanded = new Map<string, unknown>()
  for (const id of Object.keys(models).toSorted()) {
    const place = placeOf('models', id)
    const own = macrosIn(field(models[id], 'macros'), placeOf(place, 'macros'), tell)
    const macros = macrosOf(id, globals, own)
    const model = replaceAll(withoutComments(models[id]), macros)
    const usesPort = includesPort(field(model, 'cmd'))
    if (!usesPort) tellPort(id, model, tell)
    expanded.set(id, usesPort ? withPort(model, nextPort++) : model)
    tellUnknown(expanded.get(id), place, tell)
  }
  return Object.fromEntries(Object.keys(models).map((id) => [id, expanded.get(id)]))
}

/** llama-swap sends requests there unless the owner names another place. */
function withPort(model: unknown, port: number): unknown {
  const replaced = replaceAll(model, [['PORT', String(port)]])
  if (!isMapping(replaced) || !isNothing(replaced['proxy'])) return replaced
  return { ...replaced, proxy: `http://localhost:${port}` }
}

function macrosIn(value: unknown, place: string, tell: Tell): Macro[] {
  const declared = entries(value)
  for (const [name, text] of declared) {
    const why = refusal(name, text)
    if (why !== undefined) tell(`${placeOf(place, name)}: ${why}; llama-swap refuses it`)
  }
  return declared.flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : []))
}

function refusal(name: string, text: unknown): string | undefined {
  if (!/^[a-zA-Z0-9_-]{1,63}$/.test(name))
    return 'a macro has a name of at most 63 letters, digits, _ and -'
  if (['PID', 'PORT', 'MODEL_ID'].includes(name)) return 'this name is taken'
  if (typeof text !== 'string') return 'a macro must be a text, a number or a truth value'
  return text.includes(`\${${name}}`) ? 'a macro cannot hold itself' : undefined
}

/** A macro of the model stands where the global one of its name stood. */
function macrosOf(id: string, globals: readonly Macro[], own: readonly Macro[]): Macro[] {
  return [...new Map<string, string>([['MODEL_ID', id], ...globals, ...own])]
}

/** The last one first, so that a macro finds what its predecessors stand for. */
function replaceAll(value: unknown, macros: readonly Macro[]): unknown {
  const inText = (text: string): string =>
    macros.reduceRight((left, [name, by]) => left.replaceAll(`\${${name}}`, () => by), text)
  const replaced = mapTexts(value, inText)
  const filters = field(replaced, 'filters')
  const variants = field(filters, 'setParamsByID')
  if (!isMapping(replaced) || !isMapping(filters) || !isMapping(variants)) return replaced
  const setParamsByID = Object.fromEntries(
    Object.entries(variants).map(([id, params]) => [inText(id), params]),
  )
  return { ...replaced, filters: { ...filters, setParamsByID } }
}

/** Macros in comments do not count, nor do the declarations themselves. */
function withoutComments(model: unknown): unknown {
  if (!isMapping(model)) return model
  const { macros: _declared, ...rest } = model
  for (const name of ['cmd', 'cmdStop']) {
    const text = rest[name]
    if (typeof text !== 'string') continue
    const lines = text.split('\n').filter((line) => !line.trim().startsWith('#'))
    rest[name] = lines.join('\n')
  }
  return rest
}

function includesPort(value: unknown): boolean {
  return typeof value === 'string' && value.includes('${PORT}')
}

/** Where llama-swap sends requests is `http://localhost:${PORT}` unless `proxy` says otherwise. */
function tellPort(id: string, model: unknown, tell: Tell): void {
  const proxy = field(model, 'proxy')
  if (!isMapping(model) || isNothing(model['cmd'])) return
  if (isNothing(proxy) || includesPort(proxy))
    tell(
      `models.${id}.cmd: has no \${PORT}, and proxy names no port; llama-swap refuses that. Use \${PORT} in cmd, or set proxy`,
    )
}

function tellUnknown(value: unknown, place: string, tell: Tell): void {
  mapTexts(
    value,
    (text, inside) => {
      for (const [macro, name] of text.matchAll(MACRO)) {
        const isProcess = name === 'PID' && inside.endsWith('.cmdStop')
        if (!isProcess && !(name === 'PORT' && inside.endsWith('.proxy')))
          tell(`${inside}: unknown macro ${macro}; llama-swap refuses it`)
      }
      return text
    },
    place,
  )
}

function startPort(config: unknown): number {
  const written = Number(field(config, 'startPort') ?? USUAL_START_PORT)
  return Number.isInteger(written) && written > 0 ? written : USUAL_START_PORT
}
