/** Where a command names a port: what llama-swap puts in place of `${PORT}` says nothing about the model. */
const PORTS = [
  /(--port[ =]"?)\d+/g,
  /((?:localhost|\/\/[^\s/:]+|\b\d+\.\d+\.\d+\.\d+):)\d+/g,
  /( (?:-p|--publish)[ =](?:\d+\.\d+\.\d+\.\d+:)?)\d+(?=:)/g,
]

/**
 * A model's command as a key for what was learned of the running model: the same for `cmd` in llama-swap's
 * configuration, once its macros are replaced, and for `cmd` of `GET /running`. Lines that are comments, line ends,
 * indentation and the port do not count. Taken again, it stays the same. It may hold keys and paths: never shown.
 */
export function commandKey(cmd: string): string {
  const lines = cmd.split('\n').map((line) => line.trim())
  const text = lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/[\\\s]+$/, ''))
    .join(' ')
  const spaced = text.replace(/\s+/g, ' ').trim()
  return PORTS.reduce((key, port) => key.replace(port, '$1*'), spaced.replaceAll('${PORT}', '0'))
}
