import { shellWord } from '../connect/quoting.ts'
import { KEY_VARIABLE, PROVIDER_ID } from './render-config.ts'

/** What `swapgate opencode --write` is to be told; what is usual, or not given, is left out. */
export type WriteCommand = {
  /** The file to write, as the person would name it. */
  file?: string | undefined
  /** Write into the file for all projects. A file comes first. */
  global?: boolean | undefined
  /** The gate to ask. */
  url?: string | undefined
  /** The variable that holds the key. */
  keyVariable?: string | undefined
  /** What OpenCode is to call the provider. */
  provider?: string | undefined
}

/** The command that writes the gate's settings, as it can be pasted into a shell. */
export function writeCommand(command: WriteCommand): string {
  const { file, global, url, keyVariable = KEY_VARIABLE, provider = PROVIDER_ID } = command
  return [
    'swapgate opencode --write',
    ...(file !== undefined ? [fileWord(file)] : []),
    ...(file === undefined && global ? ['--global'] : []),
    ...(provider === PROVIDER_ID ? [] : ['--provider', shellWord(provider)]),
    ...(url === undefined ? [] : ['--url', shellWord(url)]),
    ...(keyVariable === KEY_VARIABLE ? [] : ['--key-env', shellWord(keyVariable)]),
  ].join(' ')
}

/** A name that begins with a dash would be an option. */
function fileWord(name: string): string {
  return shellWord(name.startsWith('-') ? `./${name}` : name)
}
