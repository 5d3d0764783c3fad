import { withoutSlash } from '../../../config/without-slash.ts'
import { isCopied, secretsIn } from './address-secrets.ts'
import type { CheckInput, GateFacts, MachineFacts } from '../check-input.ts'
import type { FindingCode, Found, Severity } from '../finding.ts'
import { gateUrl } from '../../../connect/gate-url.ts'
import {
  gateFor,
  isLocal,
  isNearUpstream,
  isOnServerOf,
  isPastGate,
  isSameHost,
  isSameServer,
  leadsElsewhere,
  parseUrl,
  portOf,
  urlOf,
} from '../providers-of-gate.ts'
import type { WrittenProvider } from '../read-written.ts'

/** What only OpenCode replaces: what it becomes is not known here. */
const PLACEHOLDER = /\{(?:env|file):|\$\{/

type Fault = {
  code: FindingCode
  severity: Severity
  message: string
  /** What is to stand there. */
  right: string
  /** What is to be done in place of writing that. */
  fix?: string
}

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
      message: `baseURL leads to ${url.host}, not to the gate of this machine, ${nameOf(url, gate)}: the limits were compared with nothing.`,
      fix: `Ask that gate: --url ${other.ok ? other.url : url.origin}`,
      changes: [],
    },
  ]
}

function checkAddress(input: CheckInput, provider: WrittenProvider): Found[] {
  const { text, address, path } = provider.baseUrl
  const gate = gateFor(input.gate, provider)
  const fault = address === undefined ? missing(provider, gate) : faultOf(address, gate)
  if (!fault) return []
  const { right, fix, ...about } = fault
  const isKnown = gate.urls.some((known) => isSameHost(new URL(right), known))
  const isSafe = gate.isSure && text === address && isCopied(address ?? '', input.machine)
  const isGates = isKnown || about.code === 'base-url-past-gate'
  return [
    {
      ...about,
      path,
      fix: fix ?? fixText(right, gate, keepText(address, input.machine)),
      changes: isSafe && isGates ? [{ path, value: right }] : [],
    },
  ]
}

function fixText(right: string, { isSure }: GateFacts, first: string): string {
  return isSure ? `${first}Write "${right}".` : `${first}If the gate is there: write "${right}".`
}

/** What is to be done before an address goes in which a key may stand. */
function keepText(address = '', machine: MachineFacts): string {
  if (isCopied(address, machine)) return ''
  return `If there is a key in it, first export ${machine.keyVariable}=<the key>. `
}

function missing(provider: WrittenProvider, gate: GateFacts): Fault {
  const { misplaced } = provider.baseUrl
  const url = urlOf(provider)
  const isElsewhere = url !== undefined && leadsElsewhere({ gate }, provider)
  return {
    code: 'base-url-missing',
    severity: 'error',
    message: misplaced
      ? `${misplaced.name} is not read: without options.baseURL, OpenCode asks OpenAI.`
      : 'There is no baseURL, so OpenCode asks OpenAI.',
    right: isElsewhere ? rightUrl(prefixOf(url, gate)) : rightUrl(gate.urls[0]),
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
  return (
    pastGate(url, gate) ??
    otherWay(url, gate) ??
    otherHost(url, gate) ??
    withSecrets(url, gate) ??
    wrongPath(url, gate)
  )
}

function pastGate(url: URL, gate: GateFacts): Fault | undefined {
  if (gate.urls.some((known) => isSameServer(url, known))) return undefined
  const best = new URL(gate.urls[0])
  const isSure = isPastGate(url, gate)
  const isUpstream = isSameServer(url, gate.upstreamUrl)
  const right = rightUrl(isUpstream || !isLocal(best) ? gate.urls[0] : beside(url, best))
  if (!isSure && isBeside(url, gate)) return perhapsPastGate(url, right)
  if (!isSure && !isNearUpstream(url, gate)) return undefined
  const where = `port ${portOf(url)}`
  return {
    code: 'base-url-past-gate',
    severity: 'error',
    message: `baseURL leads to ${isSure ? `llama-swap itself (${where})` : `${where}, where llama-swap usually is`}, past the gate: no limits, no fair queue, no heartbeats while a model loads.`,
    right,
  }
}

/** The port of llama-swap on a machine that may be this one, or another, where nobody knows what listens. */
function perhapsPastGate(url: URL, right: string): Fault {
  return {
    code: 'base-url-past-gate',
    severity: 'warning',
    message: `If ${url.hostname} is this machine, baseURL leads to llama-swap itself (port ${portOf(url)}), past the gate: no limits, no fair queue, no heartbeats while a model loads.`,
    right,
    fix: `If it is, ask with --url ${right.replace(/\/v1$/, '')}`,
  }
}

/** For a person: the gate, by more than its host where an address leads to another path of it. */
function nameOf(url: URL, { urls: [best] }: GateFacts): string {
  return isSameServer(url, best) ? withoutSlash(best) : new URL(best).host
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

/** The gate's own port, spoken to in a way in which the gate does not answer. */
function otherWay(url: URL, gate: GateFacts): Fault | undefined {
  const known = gate.urls
    .map((each) => new URL(each))
    .filter((each) => isOnServerOf(url, each.href))
  const best = known.find((each) => isSameHost(url, each.href)) ?? known[0]
  if (!best || known.some((each) => isSameHost(url, each.href) && each.protocol === url.protocol))
    return undefined
  const right = rightUrl(best.href)
  if (best.protocol !== url.protocol)
    return {
      code: 'base-url-scheme',
      severity: 'error',
      message: `baseURL begins with ${url.protocol}//, but the gate's address with ${best.protocol}//: OpenCode does not reach it so.`,
      right,
    }
  return {
    code: 'base-url-other-host',
    severity: gate.isNamed ? 'warning' : 'error',
    message: `baseURL leads to ${url.host}, but the gate is at ${best.host}, which is another address of this machine.`,
    right,
  }
}

function otherHost(url: URL, gate: GateFacts): Fault | undefined {
  if (!gate.isNamed || isOnServerOf(url, gate.urls[0])) return undefined
  return {
    code: 'base-url-other-host',
    severity: 'warning',
    message: `baseURL leads to ${url.host}, not to the gate that was asked, ${nameOf(url, gate)}.`,
    right: rightUrl(gate.urls[0]),
  }
}

/** OpenCode 1.18 drops a name and a password, and writes its own path behind a query. */
function withSecrets(url: URL, gate: GateFacts): Fault | undefined {
  const right = rightUrl(prefixOf(url, gate))
  const own = secretsIn(right)
  if (secretsIn(url.href).every((secret) => own.includes(secret))) return undefined
  return {
    code: 'base-url-key',
    severity: 'error',
    message:
      'baseURL has a name, a password, a query or a key in it. A key there is not sent as one, and everybody who gets the file can read it.',
    right,
  }
}

function wrongPath(url: URL, gate: GateFacts): Fault | undefined {
  const path = withoutSlash(url.pathname)
  const base = prefixOf(url, gate)
  const prefix = withoutSlash(new URL(base).pathname)
  const right = rightUrl(base)
  const isClean = !/[?#]/.test(url.href)
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

/** Where the gate begins that an address leads to. Behind another server it may stand below any path. */
function prefixOf(url: URL, gate: GateFacts): string {
  const known = gate.urls.find((each) => isOnServerOf(url, each))
  const path = withoutSlash(url.pathname)
  const prefix = known === undefined ? path.replace(/\/v1(?:\/.*)?$/, '') : new URL(known).pathname
  return url.origin + withoutSlash(prefix)
}

function rightUrl(base: string): string {
  return `${withoutSlash(base)}/v1`
}
