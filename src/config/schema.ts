import * as z from 'zod'
import type { KeyLimits } from '../limit/key-limits.ts'
import { defaultLimits, keyLimits } from './limits-schema.ts'
import { SWAP_RIGHTS } from '../queue/arrival.ts'
import { milliseconds, MOST_MS } from './milliseconds.ts'
import { trustedProxies } from './proxies-schema.ts'
import { queueSchema } from './queue-schema.ts'

const httpUrl = z
  .string()
  .refine(isBareHttpUrl, 'must be an http:// or https:// URL without user, query or fragment')

function isBareHttpUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return username + password + search + hash === ''
}

// RFC 9110 token68 and a little more: what fits into one header field without quoting.
const SECRET = /^[\x21-\x2b\x2d-\x7e]+$/
const HASHED_SECRET = /^sha256:[0-9a-f]{64}$/

const secret = z
  .string()
  .regex(SECRET, 'must be printable ASCII without spaces and commas')
  .refine(
    (text) => !text.startsWith('sha256:') || HASHED_SECRET.test(text),
    'must be "sha256:" and 64 lower-case hex digits',
  )

export const SCOPES = ['inference', 'status', 'admin'] as const

const keyObject = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"')
    .refine((id) => !id.startsWith('sk-'), 'looks like a key; ids stand in the log')
    .describe('Name of the key in logs and usage; never secret.'),
  secret: secret.describe(
    'The key itself, or "sha256:" and the SHA-256 of it in hex, so that the file holds no secret.',
  ),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .default(['inference'])
    .describe(
      "inference: use models. status: see what is loaded. admin: llama-swap's own pages, logs, other people's prompts, unload.",
    ),
  models: z
    .array(z.string().min(1))
    .default(['*'])
    .describe('Models that the key may use: ids, aliases, or patterns with "*" that match ids.'),
  expires: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('From this time on the key is refused, for example 2027-01-01T00:00:00Z.'),
  disabled: z.boolean().default(false).describe('Refuses the key without removing it.'),
  swap: z
    .enum(SWAP_RIGHTS)
    .default('evict')
    .describe(
      'use: only models that are loaded. load: also others where there is room. evict: others may be put out for them. Needs the queue.',
    ),
  weight: z
    .number()
    .min(0.01)
    .max(100)
    .default(1)
    .describe('Share of the box beside other keys that wait: 2 gets twice as much as 1.'),
  limits: keyLimits.describe('Limits of this key, where they differ from those of all keys.'),
  edge: z
    .boolean()
    .default(false)
    .describe(
      'The key of another gate in front of this one: what it says of its clients (address, key id) is believed.',
    ),
})

/** A key of which only the secret is written. */
export function keyWithSecret(id: string, secretText: string): WrittenKey {
  return keyObject.parse({ id, secret: secretText })
}

const key = z
  .union([secret, keyObject])
  .describe('A key with its rights, or only its secret: inference on all models.')

/** Fields that frame the request or say how its checked body is read: the gate writes them. */
const OWN_FIELDS =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|content-type|accept-encoding|expect|host|via|swapgate-.*)$/i
const headerName = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'must be a header name')
  .refine((name) => !OWN_FIELDS.test(name), 'is a field that the gate writes itself; remove it')
const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')

/** Every section has a default, so an empty file, or none, is a whole configuration. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('Path of the JSON Schema, for editors.'),
  listen: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address to listen on; anything but loopback needs at least one key.'),
      port: z.int().min(0).max(65_535).default(3000),
    })
    .prefault({}),
  publicUrl: httpUrl
    .optional()
    .describe('Where clients reach the gate; for printed examples and the check of page origins.'),
  upstream: z
    .strictObject({
      kind: z
        .enum(['llama-swap', 'swapgate'])
        .default('llama-swap')
        .describe(
          'swapgate: another gate, which has the queue; it is told of each client by a key of its own.',
        ),
      url: httpUrl.default('http://127.0.0.1:8080').describe('Where llama-swap listens.'),
      apiKey: z
        .string()
        .regex(SECRET, 'must be printable ASCII without spaces and commas')
        .optional()
        .describe(
          "One of llama-swap's apiKeys; takes the place of the client's key. Of a gate: a key that has edge.",
        ),
      configFile: z
        .string()
        .default('./config.yaml')
        .describe(
          "llama-swap's own configuration; read for aliases, groups and contexts, need not exist.",
        ),
      configDir: z
        .string()
        .min(1)
        .optional()
        .describe("The folder of llama-swap's -config-dir, whose files add to configFile."),
      askModels: z
        .boolean()
        .default(true)
        .describe(
          'Ask the servers of running models for their context, at the ports on this machine that GET /running names.',
        ),
      headers: z
        .record(headerName, headerValue)
        .default({})
        .describe('Fields added to each request to llama-swap, for example a tunnel token.'),
    })
    .prefault({}),
  keys: z.array(key).default([]),
  limits: defaultLimits.describe('Limits of every key that does not say otherwise.'),
  queue: queueSchema,
  usage: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .nullable()
        .default('./data/usage.sqlite')
        .describe(
          'SQLite file for usage and for what is left of the limits; null keeps both in memory only.',
        ),
      keepDays: z.int().min(1).max(36_500).default(90).describe('How long usage is kept.'),
    })
    .prefault({}),
  heartbeat: z
    .strictObject({
      afterMs: milliseconds(
        30_000,
        'Silence after which a stream gets its first heartbeat; 0: never.',
      ),
      everyMs: z.int().min(1).max(MOST_MS).default(15_000).describe('Between two heartbeats.'),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      upstreamHeadersMs: milliseconds(
        1_800_000,
        'How long llama-swap may take to begin an answer, model loading included; 0: for ever.',
      ),
      upstreamSilenceMs: milliseconds(
        1_800_000,
        'How long an answer that has begun may be silent; 0: for ever.',
      ),
      drainMs: milliseconds(
        30_000,
        'How long running answers may go on after a stop was asked for.',
      ),
      requestHeadersMs: z
        .int()
        .min(1000)
        .max(240_000)
        .default(30_000)
        .describe('How long a client may take to send the header of a request.'),
      requestBodyMs: z
        .int()
        .min(1000)
        .max(MOST_MS)
        .default(300_000)
        .describe('How long a client may take to send the body of a request.'),
    })
    .prefault({}),
  trustedProxies,
  body: z
    .strictObject({
      maxBytes: z
        .int()
        .min(1024)
        .default(67_108_864)
        .describe('Largest request body; bodies are held in memory.'),
    })
    .prefault({}),
  contexts: z
    .record(z.string().min(1), z.int().min(256).max(100_000_000))
    .default({})
    .describe(
      'Tokens that one request to a model may hold, by id or alias, where what the gate finds out is wrong.',
    ),
  opencode: z
    .strictObject({
      wellKnown: z
        .boolean()
        .default(false)
        .describe(
          'Serves /.well-known/opencode for "opencode auth login"; needs publicUrl. Whoever logged in so cannot start OpenCode while the gate is down.',
        ),
    })
    .prefault({}),
  cors: z
    .strictObject({
      origins: z
        .array(
          z
            .string()
            .refine(isOrigin, 'must be an origin such as "https://chat.example.com", or "*"'),
        )
        .default([])
        .describe('Web pages that may call the API from a browser; "*" for any.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('info: one line per request; warn: only refusals of the gate and failures.'),
      format: z
        .enum(['auto', 'pretty', 'json'])
        .default('auto')
        .describe('auto: pretty on a terminal, JSON lines otherwise.'),
    })
    .prefault({}),
})

function isOrigin(text: string): boolean {
  return text === '*' || (URL.canParse(text) && new URL(text).origin === text)
}

/** The configuration as the file may say it. */
export type ConfigFile = z.input<typeof configSchema>

/** One key in its long form, as the file says it. */
export type WrittenKey = z.output<typeof keyObject>

/** One key with everything filled in; `secret` is always the hashed form. */
export type KeyConfig = Omit<WrittenKey, 'limits'> & { limits: KeyLimits }

/** The configuration with every default filled in and every key in its long, hashed form. */
export type GateConfig = Omit<z.output<typeof configSchema>, 'keys' | '$schema'> & {
  keys: KeyConfig[]
}
