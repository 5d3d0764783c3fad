import type { CheckInput, MachineFacts } from '../check-input.ts'
import type { Found } from '../finding.ts'
import { parseUrl, portOf } from '../providers-of-gate.ts'
import type { WrittenProvider } from '../read-written.ts'

/** Whether a proxy of this machine catches what is meant for the gate. */
export function checkNetwork({ machine }: CheckInput, { baseUrl }: WrittenProvider): Found[] {
  const url = parseUrl(baseUrl.address ?? '')
  return url ? proxyInBetween(machine, url).map((found) => ({ ...found, path: baseUrl.path })) : []
}

/** The proxy that this machine's programs ask for an address. */
export function proxyInBetween(machine: MachineFacts, url: URL): Found[] {
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const name = [scheme.toUpperCase(), scheme].find((each) => machine.variables.has(each))
  if (name === undefined || isLeftOut(url, machine.noProxy)) return []
  return [
    {
      code: 'proxy-in-between',
      severity: 'warning',
      path: [],
      message: `${name} is set, and NO_PROXY does not name ${url.hostname}: OpenCode asks that proxy for the gate.`,
      fix: `export NO_PROXY=${[machine.noProxy, url.hostname].filter(Boolean).join(',')}`,
      changes: [],
    },
  ]
}

function isLeftOut(url: URL, noProxy: string): boolean {
  const host = url.hostname.toLowerCase()
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [name = '', port] = entry.startsWith('[') ? [entry] : entry.split(':')
      if (port !== undefined && port !== portOf(url)) return false
      const suffix = name.replace(/^\*?\./, '')
      return (
        entry === '*' || host === suffix || host === `[${suffix}]` || host.endsWith(`.${suffix}`)
      )
    })
}
