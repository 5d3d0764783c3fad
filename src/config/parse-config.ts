import type { Sha256 } from '../deps.ts'
import { explainIssues } from './explain-issues.ts'
import { apiKeysEntry, variableFault, withEnvironment } from './environment.ts'
import { isLoopback, isThisMachine } from './is-loopback.ts'
import { readJson } from './read-json.ts'
import { resolveLimits } from './resolve-limits.ts'
import {
  configSchema,
  keyWithSecret,
  type GateConfig,
  type KeyConfig,
  type WrittenKey,
} from './schema.ts'
import { showPath, substitute, type ConfigProblem, type Sources } from './substitute.ts'
import {
  upstreamProblems,
  upstreamWarnings,
  whyNoQueue,
  withQueueOfKind,
} from './upstream-rules.ts'

/** What a configuration is made of. */
export type ConfigInput = Sources & {
  /** The file's name for messages, and its text; undefined when there is no file. */
  file: { name: string; text: string } | undefined
  /** True where the gate is reachable by others whatever `listen.host` says (Workers). */
  isPublic?: boolean
  /** True where secrets are taken only as hashes, because what holds the configuration is copied and kept (Workers). */
  hashedOnly?: boolean
  /** Sections of a runtime that needs others than the usual; what is written goes before them. */
  defaults?: Pick<GateConfig, 'heartbeat' | 'body'>
}

/** A usable configuration with what should be said about it, or one message that names every fault and its fix. */
export type ConfigResult =
  | { ok: true; config: GateConfig; warnings: string[] }
  | { ok: false; message: string }

/** Guessing a key is hopeless from here on; a shorter one is only warned of. */
const SHORT_SECRET = 20

/** Reads file and environment into one checked configuration. Secrets in it are hashed; messages hold none. */
export async function parseConfig(input: ConfigInput, sha256: Sha256): Promise<ConfigResult> {
  const problems: ConfigProblem[] = []
  const written = input.file ? jsonObjectIn(input.file.text, problems) : {}
  const file = objectOf(substitute(written, input, problems))
  // What the file cannot fill in is its own fault, also in a place that a variable sets.
  const ofFile = new Set(problems)
  const laid = withEnvironment(file, input.env, problems)
  const raw = withQueueOfKind(withDefaults(laid, input.defaults))
  const ofVariable = (fault: ConfigProblem): string | undefined =>
    ofFile.has(fault) ? undefined : variableFault(fault, { file, env: input.env })
  const invalid = (faults: ConfigProblem[]): ConfigResult =>
    refused(
      input.file?.name,
      faults.map((fault) => ({ ofFile: inFile(fault), ofVariable: ofVariable(fault) })),
    )
  if (problems.length > 0) return invalid(problems)
  const parsed = configSchema.safeParse(raw)
  if (!parsed.success) return invalid(explainIssues(parsed.error.issues, raw))
  const { keys: writtenKeys, $schema: _schema, ...rest } = parsed.data
  const longKeys = writtenKeys.map((key, i) => longForm(key, i))
  const plain = input.hashedOnly ? plainSecrets(longKeys) : []
  if (plain.length > 0) return invalid(plain)
  const warnings = [...longKeys.flatMap(warningsFor), ...upstreamWarnings(rest.upstream)]
  const keys = await Promise.all(
    longKeys.map(async (key) => ({
      ...key,
      secret: await hashed(key.secret, sha256),
      limits: resolveLimits(key.limits, rest.limits),
    })),
  )
  const config: GateConfig = { ...rest, keys }
  const conflicts = [
    ...duplicateKeys(keys, file),
    ...unsafe(config, input.isPublic ?? false),
    ...upstreamProblems(rest.upstream),
    ...(rest.queue === false ? withoutQueue(keys, whyNoQueue(rest.upstream)) : []),
  ]
  if (conflicts.length > 0) return invalid(conflicts)
  if (keys.length === 0)
    warnings.push(
      'no keys are configured: every request will be refused. Add one to "keys" or set API_KEYS.',
    )
  return { ok: true, config, warnings }
}

/** A key in the place of a field's name or of an id would be shown there. */
const GENERATED_KEY = /sk-[\w-]{16,}/g

/** How a fault is told when its place was set by the file, and when it was set by a variable. */
type Told = { ofFile: string; ofVariable: string | undefined }

function refused(file: string | undefined, faults: Told[]): ConfigResult {
  const isOfFile = file !== undefined && faults.some(({ ofVariable }) => ofVariable === undefined)
  const isOfEnvironment = !isOfFile || faults.some(({ ofVariable }) => ofVariable !== undefined)
  const places = [
    ...(isOfFile ? [`configuration in ${file}`] : []),
    ...(isOfEnvironment ? ['environment'] : []),
  ]
  const headline = `The ${places.join(' and the ')} ${places.length > 1 ? 'are' : 'is'} not valid:`
  const lines = faults.map(({ ofFile, ofVariable }) => `  ${ofVariable ?? ofFile}`)
  const message = [headline, ...lines].join('\n')
  return { ok: false, message: message.replace(GENERATED_KEY, 'sk-…') }
}

function inFile({ path, message }: ConfigProblem): string {
  return path.length === 0 ? message : `${showPath(path)}: ${message}`
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {}
}

function jsonObjectIn(text: string, problems: ConfigProblem[]): unknown {
  const read = readJson(text)
  if (read.ok) return read.value
  problems.push({ path: [], message: read.message })
  return {}
}

function withDefaults(
  raw: Record<string, unknown>,
  defaults: object = {},
): Record<string, unknown> {
  const sections = Object.entries(defaults).map(([name, usual]): [string, unknown] => {
    const written = name in raw ? raw[name] : {}
    // What is written in the wrong form is left, so that the schema can tell of it.
    const isSection = typeof written === 'object' && written !== null && !Array.isArray(written)
    return [name, isSection ? { ...usual, ...written } : written]
  })
  return { ...raw, ...Object.fromEntries(sections) }
}

function plainSecrets(keys: WrittenKey[]): ConfigProblem[] {
  return [...keys.entries()].flatMap(([i, { id, secret }]) => {
    if (secret.startsWith('sha256:')) return []
    const message = `stands in clear, but only its hash may be here. For "${id}" write "sha256:" and the hex digits that  printf %s "$KEY" | sha256sum  prints, or make a new key:  npm run --silent swapgate keys new -- --id ${id}`
    return [{ path: ['keys', i, 'secret'], message }]
  })
}

function longForm(key: string | WrittenKey, index: number): WrittenKey {
  return typeof key === 'string' ? keyWithSecret(`key-${index + 1}`, key) : key
}

function warningsFor(key: WrittenKey): string[] {
  const warnings: string[] = []
  if (!key.secret.startsWith('sha256:') && key.secret.length < SHORT_SECRET)
    warnings.push(
      `the secret of key "${key.id}" is short enough to be guessed; use 20 characters or more.`,
    )
  if (key.scopes.includes('admin') && !key.models.includes('*'))
    warnings.push(
      `key "${key.id}" is limited to some models, but its scope "admin" reaches every model below /upstream/.`,
    )
  if (key.edge && key.scopes.includes('admin'))
    warnings.push(
      `key "${key.id}" is another gate's, and its scope "admin" opens other people's prompts to whoever breaks into that gate.`,
    )
  return warnings
}

async function hashed(secret: string, sha256: Sha256): Promise<string> {
  return secret.startsWith('sha256:') ? secret : `sha256:${await sha256(secret)}`
}

function duplicateKeys(keys: KeyConfig[], file: Record<string, unknown>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const ids = new Map<string, number>()
  const secrets = new Map<string, string>()
  for (const [i, { id, secret }] of keys.entries()) {
    const sameId = ids.get(id)
    if (sameId !== undefined)
      problems.push({
        path: ['keys', i, 'id'],
        message: `"${id}" is also the id of ${apiKeysEntry(['keys', sameId], file) ?? `keys[${sameId}]`}; ids must differ`,
      })
    const sameSecret = secrets.get(secret)
    if (sameSecret !== undefined)
      problems.push({
        path: ['keys', i, 'secret'],
        message: `is the same as that of "${sameSecret}"; each key needs its own`,
      })
    ids.set(id, ids.get(id) ?? i)
    secrets.set(secret, id)
  }
  return problems
}

/** Rights that only the queue keeps must not be written where there is none. */
export function withoutQueue(keys: readonly KeyConfig[], why: string): ConfigProblem[] {
  return [...keys.entries()].flatMap(([i, { swap }]) => {
    if (swap === 'evict') return []
    const message = `"${swap}" is kept by the queue, and ${why}. Remove it, or what it forbids would be allowed`
    return [{ path: ['keys', i, 'swap'], message }]
  })
}

function unsafe(config: GateConfig, isPublic: boolean): ConfigProblem[] {
  const { host, port } = config.listen
  const problems: ConfigProblem[] = []
  if (config.keys.length === 0 && (isPublic || !isLoopback(host)))
    problems.push({
      path: ['keys'],
      message: `there are none, but others could reach the gate${isPublic ? '' : ` on ${host}`}. Add a key, set API_KEYS, or listen on 127.0.0.1`,
    })
  if (config.opencode.wellKnown && config.publicUrl === undefined)
    problems.push({
      path: ['opencode', 'wellKnown'],
      message:
        'tells clients where the gate is, so it needs publicUrl. Set that to the address by which clients reach the gate',
    })
  if (!isPublic && isOwnAddress(new URL(config.upstream.url), config.listen))
    problems.push({
      path: ['upstream', 'url'],
      message: `is the gate's own address (port ${port}); it must be ${config.upstream.kind === 'swapgate' ? 'that of the gate behind this one' : "llama-swap's, usually http://127.0.0.1:8080"}`,
    })
  return problems
}

/** Whether a URL leads back to the gate. The same port on another address of this machine may well be llama-swap's. */
function isOwnAddress(url: URL, listen: GateConfig['listen']): boolean {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isSameHost = host === listen.host.toLowerCase()
  return port === listen.port && (isSameHost || (isThisMachine(host) && isThisMachine(listen.host)))
}
