import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a server that can be interrupted, held up and listened to, at an address that stays. */
export type Forwarder = {
  url: string
  start(): Promise<void>
  stop(): Promise<void>
  /** Has it lead to another server from the next connection on, and closes those that are open. */
  leadTo(target: string): void
  /** Keeps what the server says until `letThrough`. */
  hold(): void
  letThrough(): void
  /** Everything that was sent to the server since the last `forget`. */
  sent(): Buffer
  forget(): void
}

/** Opens a way to a server. */
export async function startForwarder(target: string): Promise<Forwarder> {
  const open = new Set<Socket>()
  let { hostname, port } = new URL(target)
  let sent: Buffer[] = []
  let held = Promise.withResolvers<void>()
  held.resolve()
  const closeAll = (): void => {
    for (const socket of open) socket.destroy()
    open.clear()
  }
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    for (const socket of [near, far]) open.add(socket.on('error', () => {}))
    near.on('data', (bytes: Buffer) => {
      sent.push(bytes)
      far.write(bytes)
    })
    near.on('end', () => far.end()).on('close', () => far.destroy())
    far.on('data', (bytes) => void held.promise.then(() => near.write(bytes)))
    far.on('end', () => void held.promise.then(() => near.end()))
    far.on('close', () => void held.promise.then(() => near.destroySoon()))
  })
  let listening = false
  const start = async (at: number): Promise<void> => {
    listening = true
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
  }
  await start(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    start: () => start(address.port),
    async stop() {
      if (!listening) return
      listening = false
      const closed = once(server, 'close')
      server.close()
      closeAll()
      await closed
    },
    leadTo(next) {
      ;({ hostname, port } = new URL(next))
      closeAll()
    },
    hold: () => void (held = Promise.withResolvers()),
    letThrough: () => held.resolve(),
    sent: () => Buffer.concat(sent),
    forget: () => void (sent = []),
  }
}
