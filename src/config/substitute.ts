/** Where a value of the configuration stands: `keys[0].secret`. */
export type ConfigPath = ReadonlyArray<string | number>

/** One thing that is wrong in a configuration, with the fix. */
export type ConfigProblem = { path: ConfigPath; message: string }

/** What `{env:NAME}` and `{file:path}` stand for. */
export type Sources = {
  env: Readonly<Record<string, string | undefined>>
  /** Text of a file, with a path as written; throws with a readable message. Undefined where there are no files. */
  readFile: ((path: string) => string) | undefined
}

const WHOLE = /^\{(env|file):([^{}]+)\}$/

/** Writes a path as people read it. */
export function showPath(path: ConfigPath): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('')
}

/**
 * Replaces every string that is wholly `{env:NAME}` or `{file:path}`. A value that is not there is a problem, never an
 * empty string: an empty key would be a wrong key, far from its cause.
 */
export function substitute(value: unknown, sources: Sources, problems: ConfigProblem[]): unknown {
  const at = (part: unknown, path: ConfigPath): unknown => {
    if (typeof part === 'string') return text(part, path)
    if (Array.isArray(part)) return part.map((item: unknown, i) => at(item, [...path, i]))
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(
      Object.entries(part).map(([name, item]) => [name, at(item, [...path, name])]),
    )
  }
  const text = (written: string, path: ConfigPath): unknown => {
    const match = WHOLE.exec(written)
    if (!match) return written
    const found = match[1] === 'env' ? fromEnv(match[2]!, sources) : fromFile(match[2]!, sources)
    if (found.ok) return typed(found.value, path)
    problems.push({ path, message: found.message })
    return undefined
  }
  return at(value, [])
}

type Found = { ok: true; value: string } | { ok: false; message: string }

function fromEnv(name: string, { env }: Sources): Found {
  const value = env[name]
  // Not only undefined: an inherited name such as `toString` is no variable.
  if (typeof value === 'string' && value !== '') return { ok: true, value }
  return {
    ok: false,
    message: `the environment variable ${name} is not set; set it, or remove this entry`,
  }
}

function fromFile(path: string, { readFile }: Sources): Found {
  if (!readFile) return { ok: false, message: '{file:…} is not available here; use {env:…}' }
  try {
    const value = readFile(path).trim()
    return value === '' ? { ok: false, message: `the file ${path} is empty` } : { ok: true, value }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { ok: false, message: `the file ${path} cannot be read: ${why}` }
  }
}

/** Numbers and booleans come out of the environment as text; free text such as a secret must stay text. */
function typed(value: string, path: ConfigPath): unknown {
  const name = path.at(-1)
  const isText =
    typeof name === 'number' ||
    /^(?:secret|apiKey|id|host|url|publicUrl|configFile|file)$/.test(String(name))
  if (isText || path.includes('headers')) return value
  if (/^-?\d+$/.test(value)) return Number(value)
  return value === 'true' ? true : value === 'false' ? false : value
}
