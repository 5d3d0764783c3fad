import type { MachineFacts } from '../check-input.ts'
import { isLikeAKey } from '../keys/secrets.ts'

/**
 * What may be a key in an address: a name and a password before the host, what follows a `?` or a `#`, a part
 * of the path that looks like one. OpenCode sends none of it as a key, but it may be the only copy.
 */
export function secretsIn(address: string): string[] {
  const rest = address.replace(/^[a-z]+:\/\//i, '')
  const [main = '', ...behind] = rest.split(/[?#&]/)
  const at = main.lastIndexOf('@')
  const [name = '', ...password] = at < 0 ? [] : main.slice(0, at).split(':')
  const values = behind.map((part) => part.slice(part.indexOf('=') + 1))
  const inPath = main.split('/').slice(1).filter(isKeyInPath)
  return [password.join(':') || name, ...inPath, ...values]
    .filter((part) => part !== '')
    .map(decoded)
}

/** Whether a part of a path looks like a key. */
export function isKeyInPath(part: string): boolean {
  return /^sk-/i.test(part) || isLikeAKey(part)
}

/** Whether an address can be taken out of a file: what may be a key in it is held by a variable, too. */
export function isCopied(address: string, { variables, holds }: MachineFacts): boolean {
  return secretsIn(address).every((secret) => [...variables].some((name) => holds(name, secret)))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
