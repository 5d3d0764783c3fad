import { split } from 'shlex'

/** A backslash that begins or divides a Windows path; POSIX rules would swallow it. */
const WINDOWS_PATH = /(?:^|[\s"'])(?:[A-Za-z]:|\.{1,2})?\\[\w.]/

/**
 * The words of a `cmd`, divided as llama-swap does: lines that begin with `#` are dropped, a backslash at the end of a
 * line is a space, the rest goes by the rules of a POSIX shell.
 *
 * @returns undefined when a quote is not closed
 */
export function commandWords(cmd: string): string[] | undefined {
  const lines = cmd.split('\n').filter((line) => !line.trim().startsWith('#'))
  const text = lines
    .map((line) => (line.trim().endsWith('\\') ? `${line.trim().slice(0, -1)} ` : line))
    .join('\n')
  return shellWords(WINDOWS_PATH.test(text) ? text.replaceAll('\\', '\\\\') : text)
}

/** The words of a text that a shell would be given. */
export function shellWords(text: string): string[] | undefined {
  try {
    return split(text)
  } catch {
    return undefined
  }
}

/** The last `--flag value` or `--flag=value`; hyphens and underscores are the same to many programs. */
export function valueOf(args: readonly string[], flag: string): string | undefined {
  let value: string | undefined
  for (const [i, arg] of args.entries()) {
    const [name = '', ...rest] = arg.split('=')
    if (name.replaceAll('_', '-') !== flag) continue
    value = rest.length > 0 ? rest.join('=') : args[i + 1]
  }
  return value
}
