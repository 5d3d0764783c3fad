import type { ConfigPath, ConfigProblem } from './substitute.ts'

type Env = Readonly<Record<string, string | undefined>>
type JsonObject = Record<string, unknown>

/** Environment variables that win over the file, and the place each one sets. */
const OVERRIDES: ReadonlyArray<readonly [name: string, path: readonly [string, string?]]> = [
  ['HOST', ['listen', 'host']],
  ['PORT', ['listen', 'port']],
  ['PUBLIC_URL', ['publicUrl']],
  ['UPSTREAM_URL', ['upstream', 'url']],
  ['UPSTREAM_API_KEY', ['upstream', 'apiKey']],
  ['LOG_LEVEL', ['log', 'level']],
]

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Lays the environment over the file's content; `API_KEYS` is added to the file's keys. An empty variable is unset. What
 * the file writes in the wrong form is left, so that the schema can tell of it.
 */
export function withEnvironment(file: JsonObject, env: Env, problems: ConfigProblem[]): JsonObject {
  const config: JsonObject = { ...file }
  for (const [name, [section, field]] of OVERRIDES) {
    const value = env[name]
    if (value === undefined || value === '') continue
    const written = section in config ? config[section] : {}
    if (field === undefined) config[section] = value
    else if (isObject(written)) config[section] = { ...written, [field]: valueOf(name, value) }
  }
  const written = 'keys' in config ? config['keys'] : []
  const added = keysFrom(env['API_KEYS'] ?? '', (i, message) =>
    problems.push({ path: ['keys', keysIn(file) + i], message }),
  )
  if (added.length > 0 && Array.isArray(written)) config['keys'] = [...written, ...added]
  return config
}

/** What is wrong with a variable, in its own words; undefined when the place was not set by one. */
export function variableFault(
  { path, message }: ConfigProblem,
  { file, env }: { file: JsonObject; env: Env },
): string | undefined {
  const entry = apiKeysEntry(path, file)
  if (entry !== undefined) return `${entry}: ${ENTRY_PARTS[String(path[2])] ?? ''}${message}`
  const [section, field] = path
  const name = OVERRIDES.find(
    ([variable, [itsSection, itsField]]) =>
      env[variable] && itsSection === section && (itsField ?? field) === field,
  )?.[0]
  return name && `${name}: ${name === 'PORT' ? PORT_RULE : message}`
}

/** Variables are always text, so "text in quotes" would explain nothing. */
const PORT_RULE = 'must be a whole number from 0 to 65535'

const ENTRY_PARTS: Record<string, string> = { id: 'the id ', secret: 'the key ' }

/** Which entry of `API_KEYS` a key came from; undefined for those of the file. */
export function apiKeysEntry([section, index]: ConfigPath, file: JsonObject): string | undefined {
  if (section !== 'keys' || typeof index !== 'number' || index < keysIn(file)) return undefined
  return `API_KEYS, entry ${index - keysIn(file) + 1}`
}

function keysIn({ keys }: JsonObject): number {
  return Array.isArray(keys) ? keys.length : 0
}

function valueOf(name: string, value: string): unknown {
  return name === 'PORT' && /^\d+$/.test(value) ? Number(value) : value
}

/** Reads `API_KEYS`: comma-separated `secret` or `id=secret`. */
function keysFrom(
  list: string,
  onProblem: (index: number, message: string) => void,
): Array<{ id: string; secret: string }> {
  const entries = list.split(',').map((entry) => entry.trim())
  return entries
    .filter((entry) => entry !== '')
    .map((entry, i) => {
      // A secret may end in "=" (base64), so "=" names an id only when something else follows it.
      const named = /^([A-Za-z0-9._-]{1,64})=(?!=*$)(.+)$/.exec(entry)
      if (named) return { id: named[1]!, secret: named[2]! }
      if (/\s/.test(entry)) onProblem(i, 'holds a space; separate keys by commas')
      return { id: `env-${i + 1}`, secret: entry }
    })
}
