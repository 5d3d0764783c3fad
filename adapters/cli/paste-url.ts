const WILDCARD = /^(https?:\/\/)(0\.0\.0\.0|\[::\])(?=:|$)/

/** An address to paste on this machine: the wildcard address is one to listen on, not one to go to. */
export function reachable(url: string): string {
  return url.replace(
    WILDCARD,
    (_, scheme, host) => scheme + (host === '[::]' ? '[::1]' : '127.0.0.1'),
  )
}

/** An address to paste on others, when the gate listens for them at the wildcard address. */
export function urlElsewhere(url: string, hostname: string): string | undefined {
  return WILDCARD.test(url) ? url.replace(WILDCARD, `$1${hostname}`) : undefined
}
