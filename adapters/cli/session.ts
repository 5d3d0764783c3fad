import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** One process: its id, parent, group and session. */
type Process = { pid: number; ppid: number; group: number; session: number }

/**
 * The living processes that a child has brought up, itself included. llama-swap gives every model a process group of its
 * own, so a signal to its group does not reach them; the session is what they share, also when llama-swap is gone.
 *
 * @param leader id of the child, which leads a session of its own
 */
export function membersOf(leader: number): number[] {
  const all = processTable()
  const members = new Set<number>([leader])
  // A parent may stand behind its child in the table, so look again until nothing is added.
  for (let before = 0; before !== members.size;) {
    before = members.size
    for (const { pid, ppid, group, session } of all)
      if (session === leader || group === leader || members.has(ppid)) members.add(pid)
  }
  return all.map(({ pid }) => pid).filter((pid) => members.has(pid))
}

/** Sends a signal to each of some processes; one that is gone meanwhile is no fault. */
export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) signalOne(pid, signal)
}

/** Sends a signal to a process, or to a whole group when the id is negative. */
export function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}

/** Linux has it in /proc, where small containers have no `ps`; macOS has only `ps`, and Deno may not read /proc. */
function processTable(): Process[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => fromStat(Number(name)))
      .filter((found) => found !== undefined)
  } catch {
    return fromPs()
  }
}

function fromStat(pid: number): Process | undefined {
  const text = readIfThere(`/proc/${pid}/stat`)
  // proc_pid_stat(5): the name stands in parentheses and may hold any character, also a parenthesis.
  const [state, ...ids] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
  return asProcess(state, [pid, ...ids.slice(0, 3).map(Number)])
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // A process that has ended meanwhile; anything else means that /proc is not for us.
    if (error instanceof Error && 'code' in error && isGone(error.code)) return undefined
    throw error
  }
}

function isGone(code: unknown): boolean {
  return code === 'ENOENT' || code === 'ESRCH'
}

function fromPs(): Process[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'stat=,pid=,ppid=,pgid=,sess='], {
    encoding: 'utf8',
  })
  return (stdout ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([state, ...ids]) => asProcess(state, ids.map(Number)))
    .filter((found) => found !== undefined)
}

/** A zombie is no living process: it only waits for its parent to ask how it ended. */
function asProcess(state: string | undefined, ids: number[]): Process | undefined {
  const [pid, ppid, group, session] = ids
  if (!state || state.startsWith('Z') || !pid) return undefined
  return { pid, ppid: ppid ?? 0, group: group ?? 0, session: session ?? 0 }
}
