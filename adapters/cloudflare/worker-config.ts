import { parseConfig, withoutQueue } from '../../src/config/parse-config.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { showPath } from '../../src/config/substitute.ts'
import type { Sha256 } from '../../src/deps.ts'

/** Where a Worker finds its configuration. */
export type WorkerTexts = {
  /** Every binding that is text, by name: variables and secrets. */
  texts: Readonly<Record<string, string | undefined>>
  /** The text of a config.json that was bundled with the Worker; undefined: it is in the binding `CONFIG`. */
  bundled: string | undefined
}

export type WorkerConfig =
  | { ok: true; config: GateConfig; warnings: string[] }
  | { ok: false; message: string }

const DEFAULTS = {
  // A Worker learns that a client has left when it next writes to it: until then a model works for nobody.
  heartbeat: { afterMs: 10_000, everyMs: 10_000 },
  // An isolate has 128 MB for all that it does, and a body is there twice while its pieces are joined.
  body: { maxBytes: 16_777_216 },
}

/** Cloudflare's limit for a secret or variable, in bytes; the docs say "5 KB", so the smaller of both meanings. */
const MOST_OF_A_SECRET = 5000

/** Reads the configuration of a Worker. Messages hold no secret. */
export async function readWorkerConfig(
  { texts, bundled }: WorkerTexts,
  sha256: Sha256,
): Promise<WorkerConfig> {
  const secret = texts['CONFIG']
  if (secret !== undefined && bundled !== undefined) return { ok: false, message: TWO }
  const text = bundled ?? secret
  if (text === undefined && !texts['API_KEYS']) return { ok: false, message: NONE }
  const name = bundled === undefined ? 'the secret CONFIG' : 'the bundled file'
  const file = text === undefined ? undefined : { name, text }
  const input = { file, env: texts, readFile: undefined, isPublic: true, hashedOnly: true }
  const loaded = await parseConfig({ ...input, defaults: DEFAULTS }, sha256)
  if (!loaded.ok)
    return { ok: false, message: loaded.message + hintFor(secret) + variableHint(loaded.message) }
  // A request of a Worker cannot wake another one, so nobody could be told that it is their turn.
  const config: GateConfig = { ...loaded.config, queue: false }
  const [problem] = withoutQueue(config.keys, 'a Worker has none')
  if (problem)
    return {
      ok: false,
      message: `The configuration in ${name} is not valid:\n  ${showPath(problem.path)}: ${problem.message}`,
    }
  return { ok: true, config, warnings: loaded.warnings }
}

const NONE =
  'The Worker has no configuration. Give it one:  npx wrangler@4 secret put CONFIG < worker-config.json  (for "wrangler dev": a line CONFIG=… in .dev.vars; see docs/tunnel.md)'

/** A variable of a Worker is a secret or stands in wrangler.toml. */
function variableHint(message: string): string {
  const [, name] = /the environment variable (\w+) is not set/.exec(message) ?? []
  return name === undefined ? '' : `\n  Set it:  npx wrangler@4 secret put ${name}`
}

const TWO =
  'There are two configurations: the bundled file and the secret CONFIG. Remove one of them:  npx wrangler@4 secret delete CONFIG'

function hintFor(secret: string | undefined): string {
  const bytes = new TextEncoder().encode(secret).length
  if (bytes < MOST_OF_A_SECRET || isJson(secret)) return ''
  return `\n  CONFIG has ${bytes} bytes, and a secret of a Worker holds at most 5 KB: it was probably cut. Bundle the file instead, see docs/tunnel.md`
}

function isJson(text: string | undefined): boolean {
  try {
    JSON.parse(text ?? '')
    return true
  } catch {
    return false
  }
}
