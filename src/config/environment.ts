import type { ConfigProblem } from './substitute.ts'

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
  const added = keysFrom(env['API_KEYS'] ?? '', problems)
  const written = 'keys' in config ? config['keys'] : []
  if (added.length > 0 && Array.isArray(written)) config['keys'] = [...written, ...added]
  return config
}

function valueOf(name: string, value: string): unknown {
  return name === 'PORT' && /^\d+$/.test(value) ? Number(value) : value
}

/** Reads `API_KEYS`: comma-separated `secret` or `id=secret`. */
function keysFrom(list: string, problems: ConfigProblem[]): Array<{ id: string; secret: string }> {
  const entries = list.split(',').map((entry) => entry.trim())
  return entries
    .filter((entry) => entry !== '')
    .map((entry, i) => {
      // A secret may end in "=" (base64), so "=" names an id only when something else follows it.
      const named = /^([A-Za-z0-9._-]{1,64})=(?!=*$)(.+)$/.exec(entry)
      if (named) return { id: named[1]!, secret: named[2]! }
      if (/\s/.test(entry))
        problems.push({
          path: ['API_KEYS'],
          message: `entry ${i + 1} holds a space; separate keys by commas`,
        })
      return { id: `env-${i + 1}`, secret: entry }
    })
}
