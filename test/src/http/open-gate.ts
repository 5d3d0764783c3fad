import { createHash } from 'node:crypto'
import { createApp, type Gate } from '../../../src/app.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'
import type { ConfigFile, GateConfig } from '../../../src/config/schema.ts'
import type { Deps, HostBindings } from '../../../src/deps.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import type { RequestEvent } from '../../../src/log/request-event.ts'
import { createMemoryUsageStore } from '../../../src/usage/memory-usage-store.ts'
import type { UsageRecord } from '../../../src/usage/record.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream, jsonAnswer, type FakeCall } from '../../support/fake-upstream.ts'

export const KEYS = {
  user: 'sk-user-0123456789abcdef0123456789',
  limited: 'sk-limited-0123456789abcdef01234567',
  status: 'sk-status-0123456789abcdef012345678',
  admin: 'sk-admin-0123456789abcdef0123456789',
  all: 'sk-all-0123456789abcdef0123456789ab',
  expired: 'sk-expired-0123456789abcdef01234567',
  disabled: 'sk-disabled-0123456789abcdef0123456',
} as const

export const UPSTREAM_KEY = 'internal-0123456789abcdef'
export const ORIGIN = 'http://gate.test:3000'

const CONFIG: ConfigFile = {
  upstream: { apiKey: UPSTREAM_KEY },
  // Each question of the queue to upstream would be one more call in every test.
  queue: false,
  // Tests that are not about limits may ask as often as they like.
  limits: { requestsPerMinute: null },
  keys: [
    { id: 'user', secret: KEYS.user },
    { id: 'limited', secret: KEYS.limited, models: ['glm-4.7-flash'] },
    { id: 'status', secret: KEYS.status, scopes: ['status'], models: ['glm-4.7-flash'] },
    { id: 'admin', secret: KEYS.admin, scopes: ['admin'] },
    { id: 'all', secret: KEYS.all, scopes: ['inference', 'status', 'admin'] },
    { id: 'expired', secret: KEYS.expired, expires: '2025-12-31T23:59:59Z' },
    { id: 'disabled', secret: KEYS.disabled, disabled: true },
  ],
}

/** llama-swap's listing: two models, an alias of one of them, and a peer's model. */
export const LISTING = {
  object: 'list',
  data: [
    { id: 'glm-4.7-flash', object: 'model', owned_by: 'llama-swap', context_length: 32768 },
    { id: 'gpt-oss-120b', object: 'model', meta: { llamaswap: { aliases: ['big'] } } },
    { id: 'cloud/x', object: 'model', meta: { llamaswap: { type: 'peer', peerID: 'cloud' } } },
  ],
}

export const RUNNING = {
  running: [
    {
      model: 'glm-4.7-flash',
      state: 'ready',
      ttl: 0,
      name: 'GLM',
      description: 'd',
      cmd: 'llama-server --api-key secret',
      proxy: 'http://127.0.0.1:5800',
    },
    { model: 'gpt-oss-120b', state: 'ready', cmd: 'llama-server', proxy: 'http://127.0.0.1:5801' },
  ],
}

/** A gate without sockets, and all that it does to the world. */
export type OpenGate = {
  gate: Gate
  upstream: FakeUpstream
  clock: FakeClock
  /** One for each finished request. */
  events: RequestEvent[]
  failures: Array<{ requestId: string; error: unknown }>
  /** What is kept of requests for a model. */
  records: UsageRecord[]
  ask: (path: string, asked?: Asked) => Promise<Answer>
}

export type Asked = {
  method?: string
  /** Sent as a Bearer token. */
  key?: string
  headers?: Record<string, string> | Headers
  body?: string | Uint8Array<ArrayBuffer>
  host?: HostBindings
  signal?: AbortSignal
}

/** An answer that was read to its end. */
export type Answer = { status: number; headers: Record<string, string>; text: string }

/** Answers as llama-swap would, at once: its listing, what is running, and `{"ok":true}` for all else. */
export function answerEverything(call: FakeCall): void {
  const [path] = call.request.target.split('?')
  if (path === '/v1/models') call.answer(jsonAnswer(LISTING))
  else if (path === '/running') call.answer(jsonAnswer(RUNNING))
  else call.answer(jsonAnswer({ ok: true }))
}

/** Opens a gate with one key of each kind; `config` is laid over that section by section. */
export async function openGate(
  config: ConfigFile = {},
  deps: Partial<Deps> = {},
): Promise<OpenGate> {
  const upstream = new FakeUpstream()
  upstream.onCall = answerEverything
  const clock = fakeClock()
  const events: RequestEvent[] = []
  const failures: OpenGate['failures'] = []
  const records: UsageRecord[] = []
  const usage = createMemoryUsageStore()
  const gate = createApp({
    config: await configOf({ ...CONFIG, ...config }),
    upstream,
    clock,
    logger: {
      request: (event) => void events.push(event),
      failure: (requestId, error) => void failures.push({ requestId, error }),
    },
    sha256,
    modelConfig: { read: () => Promise.resolve(undefined) },
    limits: createMemoryLimitStore({ clock }),
    usage: {
      ...usage,
      append(record) {
        records.push(record)
        usage.append(record)
      },
    },
    ...deps,
  })
  return {
    gate,
    upstream,
    clock,
    events,
    failures,
    records,
    ask: (path, asked) => ask(gate, path, asked),
  }
}

/** The same with the names of models already known, so that nothing is asked of upstream before the first request. */
export async function openWarmGate(config?: ConfigFile, deps?: Partial<Deps>): Promise<OpenGate> {
  const opened = await openGate(config, deps)
  await opened.ask('/v1/models', { key: KEYS.user })
  opened.upstream.calls.length = 0
  opened.events.length = 0
  opened.records.length = 0
  return opened
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function configOf(file: ConfigFile): Promise<GateConfig> {
  const input = {
    file: { name: 'config.json', text: JSON.stringify(file) },
    env: {},
    readFile: undefined,
  }
  const parsed = await parseConfig(input, sha256)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.config
}

/** The request as a runtime would hand it over. */
export function requestOf(path: string, asked: Asked = {}): Request {
  const { method = 'GET', key, headers = {}, body, signal } = asked
  const fields = new Headers(headers)
  if (key !== undefined) fields.set('authorization', `Bearer ${key}`)
  return new Request(path.startsWith('http') ? path : ORIGIN + path, {
    method,
    headers: fields,
    ...(body !== undefined && { body }),
    ...(signal && { signal }),
  })
}

async function ask(gate: Gate, path: string, asked: Asked = {}): Promise<Answer> {
  const response = await gate.fetch(requestOf(path, asked), asked.host ?? {})
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  }
}

/** A JSON post with a key. */
export function post(key: string, value: unknown): Asked {
  return {
    method: 'POST',
    key,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  }
}

/** A browser's Basic credential: any user name, the key as password. */
export function basic(key: string): Record<string, string> {
  return { authorization: `Basic ${btoa(`owner:${key}`)}` }
}

/** The `code` of an OpenAI-shaped refusal. */
export function codeOf({ text }: Answer): unknown {
  const value: { error?: { code?: unknown } } = JSON.parse(text)
  return value.error?.code
}
