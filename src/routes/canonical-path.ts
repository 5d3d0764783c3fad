/**
 * One spelling per path, or none. llama-swap decodes percent escapes before it matches (`/%75nload` unloads) and
 * redirects `//` and `..`, and the runtimes differ in what they clean up before we see it, so every path that
 * could mean another path is refused and the one string that remains is both matched and forwarded.
 */

// RFC 3986 pchar without "%": unreserved, sub-delims, ":" and "@".
const CANONICAL = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/
const EMPTY_OR_DOT_SEGMENT = /\/\/|\/\.{1,2}(?:\/|$)/
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/** The canonical form of a request's address. `search` keeps its leading `?`, or is empty. */
export type CanonicalTarget = { path: string; search: string; host: string }

/** What stands for an address with no canonical form: no route has this path. */
export const NO_TARGET: CanonicalTarget = { path: '/(not canonical)', search: '', host: '' }

export type CanonicalResult =
  | { ok: true; target: CanonicalTarget }
  | { ok: false; problem: 'host' | 'path' }

function isCanonicalPath(path: string): boolean {
  return CANONICAL.test(path) && !EMPTY_OR_DOT_SEGMENT.test(path)
}

/** The path of an origin-form or absolute-form target (RFC 9112 §3.2) as it was written. */
function writtenPath(rawTarget: string): string {
  const afterScheme = /^https?:\/\/[^/?#]*/i.exec(rawTarget)
  const fromPath = afterScheme ? rawTarget.slice(afterScheme[0].length) : rawTarget
  return fromPath.replace(/[?#].*$/s, '') || '/'
}

/**
 * Reads the address of a request once, before any router.
 *
 * @param url the runtime's `request.url`; Bun gives a relative one for a bad Host, others may give an unclean path
 * @param hostHeader the Host field as received, if the runtime shows it
 * @param rawTarget the request target as received, if the runtime shows it
 */
export function canonicalTarget(
  url: string,
  hostHeader: string | undefined,
  rawTarget: string | undefined,
): CanonicalResult {
  if (hostHeader !== undefined && !HOST.test(hostHeader)) return { ok: false, problem: 'host' }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return { ok: false, problem: 'host' }
  const parsed = new URL(url)
  if (parsed.username || parsed.password || !HOST.test(parsed.host))
    return { ok: false, problem: 'host' }
  const path = parsed.pathname
  if (!isCanonicalPath(path) || writtenPath(url) !== path) return { ok: false, problem: 'path' }
  if (rawTarget !== undefined && writtenPath(rawTarget) !== path)
    return { ok: false, problem: 'path' }
  return { ok: true, target: { path, search: parsed.search, host: parsed.host } }
}
