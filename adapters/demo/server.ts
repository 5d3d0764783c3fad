import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { DemoLog } from './log.ts'
import { DEFAULT_OPTIONS, type DemoOptions } from './options.ts'
import { findRoute } from './routes.ts'
import { Swapper } from './swapper.ts'
import type { Demo, Visit } from './visit.ts'

/** A llama-swap look-alike that is not listening yet. */
export function createDemoServer(options: Partial<DemoOptions> = {}): Server {
  const settings = { ...DEFAULT_OPTIONS, ...options }
  const demo: Demo = {
    options: settings,
    swapper: new Swapper(settings.loadMs),
    log: new DemoLog(),
    origin: () => originOf(server),
  }
  const server = createServer((req, res) => void serve(demo, req, res))
  return server
}

/** The address a server listens on, as a URL without a path. */
export function originOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  const isAnyHost = address.address === '0.0.0.0' || address.address === '::'
  const host = address.address.includes(':') ? `[${address.address}]` : address.address
  return `http://${isAnyHost ? '127.0.0.1' : host}:${address.port}`
}

async function serve(demo: Demo, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [rawPath = '/', search = ''] = (req.url ?? '/').split('?', 2)
  const visit: Visit = {
    demo,
    req,
    res,
    path: decodePath(rawPath),
    query: new URLSearchParams(search),
  }
  res.once('close', () => {
    const ending = res.writableFinished ? String(res.statusCode) : 'client gone'
    demo.log.add(`${req.method} ${visit.path} ${ending}`)
  })
  try {
    await answer(visit)
  } catch (error) {
    // A request that broke off while its body was read ends here, as would a mistake of ours.
    demo.log.add(`${req.method} ${visit.path} failed: ${String(error)}`)
    res.destroy()
  }
}

function answer(visit: Visit): void | Promise<void> {
  const { req, res, path } = visit
  if (req.method === 'OPTIONS') return preflight(res)
  const route = findRoute(path)
  // Go's router, which llama-swap uses, answers these two in plain text.
  if (!route) return plain(res, 404, '404 page not found')
  const method = req.method === 'HEAD' ? 'GET' : req.method
  if (method === route.method) return route.handle(visit)
  res.setHeader('allow', route.method === 'GET' ? 'GET, HEAD' : 'POST')
  plain(res, 405, 'Method Not Allowed')
}

function preflight(res: ServerResponse): void {
  res.writeHead(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': 'Content-Type, Authorization, Accept, X-Requested-With',
    'access-control-max-age': '86400',
  })
  res.end()
}

function plain(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  res.end(`${text}\n`)
}

function decodePath(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    return raw
  }
}
