import { spawnSync } from 'node:child_process'
import { basename, dirname } from 'node:path'

/** Whether a file is part of a git repository, or becomes part of it with the next `git add`. Without git: no. */
export function isShared(path: string): boolean {
  const git = (...args: string[]): number | null =>
    spawnSync('git', [...args, '--', basename(path)], { cwd: dirname(path), stdio: 'ignore' })
      .status
  if (git('ls-files', '--error-unmatch') === 0) return true
  // 1: not ignored. 128: not in a repository. Null: there is no git.
  return git('check-ignore', '-q') === 1
}
