import { readFileSync } from 'node:fs'

/** The ports that docs/tunnel.md shows; a test puts its own in their place. */
export const DOCUMENTED_PORTS = { vps: '8443', home: '3000' } as const

/** What docs/tunnel.md has the owner of a VPS put into sshd's configuration. */
export function serverSettings(): string {
  return blockWith('/etc/ssh/sshd_config.d/swapgate-tunnel.conf')
}

/** The ssh command that docs/tunnel.md has systemd keep running. */
export function tunnelCommand(): string {
  const unit = blockWith('/etc/systemd/system/swapgate-tunnel.service').replaceAll(/\\\n\s*/g, '')
  const command = /^ExecStart=(.+)$/m.exec(unit)?.[1]
  if (command === undefined) throw new Error('no ExecStart in the unit of docs/tunnel.md')
  return command
}

/** The block of docs/tunnel.md whose first line names a file. */
function blockWith(path: string): string {
  const page = readFileSync(new URL('../../docs/tunnel.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/```\w*\n(.*?)```/gs)].map(([, block = '']) => block)
  const found = blocks.find((block) => block.startsWith(`# ${path}`))
  if (found === undefined) throw new Error(`docs/tunnel.md shows no ${path}`)
  return found
}
