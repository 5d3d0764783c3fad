import type { CheckInput, GateFacts } from './check-input.ts'
import type { FindingCode, Found, Severity } from './finding.ts'
import { gateUrl } from './gate-url.ts'
import {
  gateFor,
  isLocal,
  isPastGate,
  isSameHost,
  leadsElsewhere,
  parseUrl,
  portOf,
} from './providers-of-gate.ts'
import type { WrittenProvider } from './read-written.ts'

/** What only OpenCode replaces: what it becomes is not known here. */
const PLACEHOLDER = /\{(?:env|file):|\$\{/

type Fault = { code: FindingCode; severity: Severity; message: string; right: string }

/**
 * Whether the base URL leads to the gate and to nothing else: at most one finding, the first that matters. It is changed
 * only where the gate is surely where it is taken to be, and where the address is the gate's.
 */
export function checkBaseUrl(input: CheckInput, provider: WrittenProvider): Found[] {
  const { address } = provider.baseUrl
  if (address !== undefined && PLACEHOLDER.test(address)) return []
  return [...elsewhere(input, provider), ...checkAddress(input, provider)]
}

/** Another gate than that of this machine: there may be several. */
function elsewhere(input: CheckInput, provider: WrittenProvider): Found[] {
  const { gate } = input
  const url = parseUrl(provider.baseUrl.address ?? '')
  if (!url || !gate.isSure || gate.isNamed || !leadsElsewhere(input, provider)) return []
  if (isBeside(url, gate)) return []
  const other = gateUrl(url.origin + url.pathname)
  return [
    {
      code: 'base-url-elsewhere',
      severity: 'hint',
      path: provider.baseUrl.path,
      message: `baseURL leads to ${url.host}, not to the gate of this machine, ${new URL(gate.urls[0]).host}: the limits were compared with nothing.`,
      fix: `Ask that gate: --url ${other.ok ? other.url : url.origin}`,
      changes: [],
    },
  ]
}

function checkAddress(input: CheckInput, provider: WrittenProvider): Found[] {
  const { text, address, path } = provider.baseUrl
  const gate = gateFor(input.gate, provider)
  const fault = address === undefined ? missing(gate) : faultOf(address, gate)
  if (!fault) return []
  const { right, ...about } = fault
  const isKnown = gate.urls.some((known) => isSameHost(new URL(right), known))
  const isSafe = gate.isSure && text === address
  const isGates = isKnown || about.code === 'base-url-past-gate'
  const fix = gate.isSure ? `Write "${right}".` : `If the gate is there: write "${right}".`
  return [{ ...about, path, fix, changes: isSafe && isGates ? [{ path, value: right }] : [] }]
}

function missing(gate: GateFacts): Fault {
  return {
    code: 'base-url-missing',
    severity: 'error',
    message: 'There is no baseURL, so OpenCode asks OpenAI.',
    right: rightUrl(gate.urls[0]),
  }
}

function faultOf(text: string, gate: GateFacts): Fault | undefined {
  const url = parseUrl(text)
  const best = gate.urls[0]
  if (!url)
    return {
      code: 'base-url-invalid',
      severity: 'error',
      message: 'baseURL is no address that begins with http:// or https://.',
      right: rightUrl(best),
    }
  return pastGate(url, gate) ?? otherHost(url, gate) ?? wrongPath(url, gate)
}

function pastGate(url: URL, gate: GateFacts): Fault | undefined {
  if (gate.urls.some((known) => isSameHost(url, known))) return undefined
  const best = new URL(gate.urls[0])
  if (!isPastGate(url, gate) && !isBeside(url, gate)) return undefined
  const isUpstream = isSameHost(url, gate.upstreamUrl)
  return {
    code: 'base-url-past-gate',
    severity: 'error',
    message: `baseURL leads to llama-swap itself (port ${portOf(url)}), past the gate: no limits, no fair queue, no heartbeats while a model loads.`,
    right: rightUrl(isUpstream || !isLocal(best) ? gate.urls[0] : beside(url, best)),
  }
}

/** On other machines, what the gate calls localhost has another name. */
function isBeside(url: URL, gate: GateFacts): boolean {
  const { port } = new URL(gate.upstreamUrl)
  return gate.isUpstreamKnown && !gate.isNamed && url.port !== '' && url.port === port
}

/** What the gate calls this machine is the box to others: only its port holds for them, too. */
function beside(url: URL, { port }: URL): string {
  const gate = new URL(url.origin)
  gate.port = port
  return gate.origin
}

function otherHost(url: URL, gate: GateFacts): Fault | undefined {
  if (!gate.isNamed || isSameHost(url, gate.urls[0])) return undefined
  return {
    code: 'base-url-other-host',
    severity: 'warning',
    message: `baseURL leads to ${url.host}, not to the gate that was asked, ${new URL(gate.urls[0]).host}.`,
    right: rightUrl(gate.urls[0]),
  }
}

function wrongPath(url: URL, gate: GateFacts): Fault | undefined {
  const known = gate.urls.find((each) => isSameHost(url, each))
  const path = withoutSlash(url.pathname)
  // Behind another server the gate may stand below any path.
  const prefix =
    known === undefined ? path.replace(/\/v1(?:\/.*)?$/, '') : withoutSlash(new URL(known).pathname)
  const right = rightUrl(url.origin + prefix)
  const isClean = url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (isClean && path === `${prefix}/v1`) return undefined
  if (isClean && path === prefix)
    return {
      code: 'base-url-without-v1',
      severity: 'error',
      message: 'baseURL does not end with /v1, so every request ends with 404.',
      right,
    }
  return {
    code: 'base-url-rubbish',
    severity: 'error',
    message:
      'baseURL has more than the address and /v1. OpenCode adds /chat/completions by itself.',
    right,
  }
}

function rightUrl(base: string): string {
  return `${withoutSlash(base)}/v1`
}

function withoutSlash(text: string): string {
  return text.replace(/\/+$/, '')
}
