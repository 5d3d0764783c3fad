import { serve } from '@hono/node-server'
import { Hono } from 'hono'

// What one would write first: Hono and the global fetch, no auth, no checks, no heartbeats. The gate is measured against it.
const upstream = process.env['UPSTREAM_URL'] ?? 'http://127.0.0.1:8080'
const app = new Hono()

app.all('*', async (c) => {
  const { raw } = c.req
  const headers = new Headers(raw.headers)
  headers.delete('host')
  headers.delete('connection')
  const body = raw.method === 'GET' ? null : raw.body
  const init = { method: raw.method, headers, body, duplex: 'half', signal: raw.signal } as const
  const answer = await fetch(upstream + new URL(raw.url).pathname, init)
  return new Response(answer.body, { status: answer.status, headers: answer.headers })
})

serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) }, () =>
  console.log('swapgate listening on baseline'),
)
