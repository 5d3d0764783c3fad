/** A request target as Go's ServeMux sees it. */
export type SeenPath =
  /** Segments are decoded one by one, so an encoded slash never separates. */
  | { kind: 'path'; path: string; segments: string[]; query: URLSearchParams }
  /** An unclean path is answered with 307 and a relative Location. */
  | { kind: 'redirect'; location: string }

/** Splits, cleans and decodes; `..` counts only when it is written plainly. */
export function seePath(target: string): SeenPath {
  const relative = target.replace(/^https?:\/\/[^/?]*/i, '')
  const mark = relative.indexOf('?')
  const path = mark === -1 ? relative : relative.slice(0, mark)
  const query = mark === -1 ? '' : relative.slice(mark)
  const clean = cleanPath(path)
  if (clean !== path) return { kind: 'redirect', location: clean + query }
  const segments = path.slice(1).split('/').map(decodeSegment)
  return { kind: 'path', path: exactPath(segments), segments, query: new URLSearchParams(query) }
}

/** Decoded segments joined again; a slash inside one stays encoded, so it matches no known path. */
function exactPath(segments: string[]): string {
  return '/' + segments.map((segment) => segment.replaceAll('/', '%2F')).join('/')
}

function cleanPath(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  const trailing = path.endsWith('/') && kept.length > 0 ? '/' : ''
  return `/${kept.join('/')}${trailing}`
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
