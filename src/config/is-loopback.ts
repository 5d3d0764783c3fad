/** Whether an address to listen on reaches this machine only (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i.test(host)
}

/** Whether a connection to an address, or to what listens on it, stays on this machine: loopback, and any (0.0.0.0, ::). */
export function isThisMachine(host: string): boolean {
  return isLoopback(host) || host === '0.0.0.0' || host === '::'
}
