import { expect, test } from 'vitest'
import { commandWords } from '../../../../src/llama-swap/command/command-words.ts'

test.each<[string, string, string[]]>([
  ['lines', 'llama-server\n  -c 4096\n', ['llama-server', '-c', '4096']],
  ['comments', 'llama-server\n  # -c 1\n#-c 2\n-c 3', ['llama-server', '-c', '3']],
  [
    'continued lines',
    'llama-server \\\n  -c 1 \\\n# -c 2\n  -np 1',
    ['llama-server', '-c', '1', '-np', '1'],
  ],
  ['a # within a line', 'llama-server -a x#y # z', ['llama-server', '-a', 'x#y', '#', 'z']],
  ['quotes', `a "b c" 'd "e' f\\ g ""`, ['a', 'b c', 'd "e', 'f g', '']],
  [
    'a path of Windows',
    'C:\\llama\\llama-server.exe -m ..\\a.gguf',
    ['C:\\llama\\llama-server.exe', '-m', '..\\a.gguf'],
  ],
  ['nothing', ' \n', []],
])('the words of a command: %s', (_what, cmd, words) => {
  expect(commandWords(cmd)).toEqual(words)
})

test('a quote that is not closed leaves no words', () => {
  expect(commandWords('llama-server "-c')).toBeUndefined()
})
