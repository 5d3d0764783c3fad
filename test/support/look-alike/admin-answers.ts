import type { Answer } from './answer.ts'
import { plain, text } from './answer.ts'

/** The text by which a test knows that an admin page got through. */
export function adminMarker(path: string): string {
  return `admin:${path}`
}

/** An admin page: its marker, in the content type of the real one. */
export function adminAnswer(path: string): Answer {
  const marker = adminMarker(path)
  if (path.startsWith('/ui/')) {
    const page = `<!doctype html><title>llama-swap</title><p>${marker}</p>`
    return plain(200, [['content-type', 'text/html; charset=utf-8']], page)
  }
  if (path === '/api/events') return opened('text/event-stream', `data: ${marker}\n\n`)
  if (path.startsWith('/logs/stream')) return opened('text/plain', `${marker}\n`)
  return text(marker)
}

/** A stream's first bytes; it ends later, so its length is not announced. */
function opened(type: string, first: string): Answer {
  const headers = [
    ['content-type', type],
    ['x-accel-buffering', 'no'],
  ] as const
  return { status: 200, headers, pieces: [Buffer.from(first)], chunked: true }
}

/** The pages that need no key: health, the icon and the way to the UI. */
export function healthAnswer(path: string): Answer | undefined {
  switch (path) {
    case '/health':
    case '/wol-health':
      return text('OK')
    case '/':
      return plain(302, [['location', '/ui']], '')
    case '/ui':
      return plain(307, [['location', '/ui/']], '')
    case '/favicon.ico':
      return plain(200, [['content-type', 'image/x-icon']], 'icon')
    default:
      return undefined
  }
}
