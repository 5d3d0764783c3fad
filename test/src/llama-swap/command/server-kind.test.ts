import { describe, expect, test } from 'vitest'
import { commandWords } from '../../../../src/llama-swap/command/command-words.ts'
import { findServer, type ServerKind } from '../../../../src/llama-swap/command/server-kind.ts'

function serverIn(cmd: string, env: Record<string, string> = {}, port?: string) {
  return findServer(commandWords(cmd) ?? [], env, port)
}

describe('the server that a command ends at', () => {
  test.each<[string, ServerKind, string, Record<string, string>]>([
    ['llama-server -c 1', 'llama-server', '-c 1', {}],
    ['/opt/llama.cpp/build/bin/llama-server -c 1', 'llama-server', '-c 1', {}],
    ['"/opt/my models/llama-server" -c 1', 'llama-server', '-c 1', {}],
    ['C:\\llama\\llama-server.exe -c 1', 'llama-server', '-c 1', {}],
    ['llama-server-vulkan -c 1', 'llama-server', '-c 1', {}],
    ['env A=1 B=2 llama-server -c 1', 'llama-server', '-c 1', { A: '1', B: '2' }],
    ['taskset -c 0-7 llama-server -c 1', 'llama-server', '-c 1', {}],
    ['numactl -m 0 -C 0-7 nice -n 5 llama-server -c 1', 'llama-server', '-c 1', {}],
    [`bash -c 'llama-server -c 1'`, 'llama-server', '-c 1', {}],
    [
      `sh -lc "cd /opt/vllm && A=1 exec ./llama-server -c 1 >log 2>&1"`,
      'llama-server',
      '-c 1',
      { A: '1' },
    ],
    [`bash -c 'export A=1; llama-server -c 1; echo -c 2'`, 'llama-server', '-c 1', { A: '1' }],
    [`bash -c 'llama-server -c 1 | tee log'`, 'llama-server', '-c 1', {}],
    [`ssh box "taskset -c 0 llama-server -c 1"`, 'llama-server', '-c 1', {}],
    [
      'docker run --rm --gpus all --name llama-server -c 512 -v /opt/llama.cpp:/x -e A=1 --env=B=2 --env C=3 -p 1:2 ghcr.io/ggml-org/llama.cpp:server-cuda -c 1',
      'llama-server',
      '-c 1',
      { A: '1', B: '2', C: '3' },
    ],
    ['podman run -it my/llm:latest /app/llama-server -c 1', 'llama-server', '-c 1', {}],
    ['docker run ghcr.io/ggml-org/llama.cpp:full llama-server -c 1', 'llama-server', '-c 1', {}],
    ['docker run registry.example:5000/llama-server:v1 -c 1', 'llama-server', '-c 1', {}],
    [`docker run x bash -c 'llama-server -c 1'`, 'llama-server', '-c 1', {}],
    ['vllm serve org/a --max-model-len 1', 'vllm', 'serve org/a --max-model-len 1', {}],
    ['docker run vllm/vllm-openai:latest --max-model-len 1', 'vllm', '--max-model-len 1', {}],
    ['python3 -m vllm.entrypoints.openai.api_server --a 1', 'vllm', '--a 1', {}],
    [
      'uv run python -m sglang.launch_server --context-length 1',
      'sglang',
      '--context-length 1',
      {},
    ],
    ['python /opt/tabbyAPI/main.py --max-seq-len 1', 'tabbyapi', '--max-seq-len 1', {}],
    ['./koboldcpp-linux-x64 --contextsize 1', 'koboldcpp', '--contextsize 1', {}],
    ['python koboldcpp.py --contextsize 1', 'koboldcpp', '--contextsize 1', {}],
    ['whisper-server -c 1', 'media', '-c 1', {}],
    ['/opt/sd-server -c 1', 'media', '-c 1', {}],
    ['/opt/my-llama-servers/run -c 1', 'unknown', '', {}],
    ['bash -c "cd /opt/vllm && ./run.sh -c 1"', 'unknown', '', {}],
    ['docker run --name llama-server my/own:latest -c 1', 'unknown', '', {}],
    ['bash -c "exec \'llama-server"', 'unknown', '', {}],
    ['', 'unknown', '', {}],
    [
      'docker run --rm --entrypoint /bin/bash llama.cpp:full -c "/app/llama-server -c 1"',
      'llama-server',
      '-c 1',
      {},
    ],
    ['docker run --entrypoint=/app/llama-server my/own:latest -c 1', 'llama-server', '-c 1', {}],
    ['docker run --entrypoint /app/run llama.cpp:full -c 1', 'unknown', '', {}],
  ])('%s is %s', (cmd, kind, ...[args, env]) => {
    expect(serverIn(cmd)).toEqual({ kind, args: args === '' ? [] : args.split(' '), env })
  })

  const SCRIPT = 'a script starts the server, and may say more'
  const SEVERAL = 'the command starts several servers'
  const DRAFT = 'llama-server -c 2 --port 9999'

  test.each([
    ['/usr/bin/llama-server-wrapper.sh --port 5800 -c 1', SCRIPT],
    ['python3 /opt/llama-server.py -c 1', SCRIPT],
    ['docker run my/llama-server:latest start.sh -c 1', SCRIPT],
    [`bash -c '${DRAFT} & exec llama-server --port 5801 -c 1'`, SEVERAL],
    [`bash -c '${DRAFT} & llama-server --port 5800 -c 3; llama-server --port 5800 -c 1'`, SEVERAL],
  ])('%s is not known: %s', (cmd, why) => {
    expect(serverIn(cmd, {}, '5800')).toEqual({ kind: 'unknown', args: [], env: {}, why })
  })

  test('of several is the one with the port of the model', () => {
    const cmd = `bash -c '${DRAFT} & exec llama-server --port 5800 -c 1'`
    expect(serverIn(cmd, {}, '5800').args).toEqual(['--port', '5800', '-c', '1'])
    const container = `bash -c '${DRAFT} & docker run -p 5800:8080 llama.cpp:server -c 1'`
    expect(serverIn(container, {}, '5800').args).toEqual(['-c', '1'])
  })

  test('inherits the variables around it, unless it runs in a container', () => {
    const env = { A: 'outside', B: 'outside' }
    expect(serverIn('env A=1 llama-server', env).env).toEqual({ A: '1', B: 'outside' })
    expect(serverIn(`bash -c 'A=1 llama-server'`, env).env).toEqual({ A: '1', B: 'outside' })
    expect(serverIn('docker run llama.cpp:server', env).env).toEqual({})
    expect(serverIn('docker run -e B -e C=3 llama.cpp:server', env).env).toEqual({
      B: 'outside',
      C: '3',
    })
  })
})
