import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the scripted box does with one chat request. */
export type Reply = Ending & {
  /** Silence before the first byte, as while a model is being loaded. */
  loadMs?: number
  /** Between the pieces of an answer. */
  pauseMs?: number
}

type Ending =
  /** A whole answer. `promptTokens` is what its usage says of the prompt. */
  | { kind: 'text'; text: string; promptTokens?: number }
  /** The model wants to use tools. */
  | { kind: 'tools'; calls: readonly ToolCall[] }
  /** The prompt does not fit. */
  | { kind: 'overflow'; promptTokens: number; contextSize: number }
  /** The beginning of an answer, and then the model dies; llama-swap ends the answer as if it were whole. */
  | { kind: 'died'; text: string }
  /** The beginning of an answer, and then the connection breaks. */
  | { kind: 'broken'; text: string }

export type ToolCall = { name: string; input: Record<string, unknown> }

const COMPLETION_TOKENS = 16
const USUAL_PROMPT_TOKENS = 7_500
const CREATED = 1_790_000_000

/** Answers as llama-server does, b11669, through llama-swap. */
export async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (reply.loadMs !== undefined) await sleep(reply.loadMs)
  if (reply.kind === 'overflow') {
    response.writeHead(400, { 'content-type': 'application/json; charset=utf-8' })
    response.end(overflowBody(reply.promptTokens, reply.contextSize))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  for (const delta of deltasOf(reply)) {
    response.write(frame({ choices: [{ finish_reason: null, index: 0, delta }] }))
    if (reply.pauseMs !== undefined) await sleep(reply.pauseMs)
  }
  finish(response, reply)
}

/** llama-server's own bytes: clients know an overflow by its wording. */
export function overflowBody(promptTokens: number, contextSize: number): string {
  return `{"error":{"code":400,"message":"request (${promptTokens} tokens) exceeds the available context size (${contextSize} tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":${promptTokens},"n_ctx":${contextSize}}}`
}

function deltasOf(reply: Exclude<Reply, { kind: 'overflow' }>): object[] {
  const role = { role: 'assistant', content: null }
  if (reply.kind === 'tools') return [role, ...reply.calls.map(toolDelta)]
  return [role, ...reply.text.split(/(?<= )/).map((content) => ({ content }))]
}

function toolDelta({ name, input }: ToolCall, index: number): object {
  const call = { name, arguments: JSON.stringify(input) }
  return { tool_calls: [{ index, id: `call${name}${index}`, type: 'function', function: call }] }
}

function finish(response: ServerResponse, reply: Exclude<Reply, { kind: 'overflow' }>): void {
  if (reply.kind === 'broken') return void response.destroy()
  if (reply.kind === 'died') return void response.end()
  const finish_reason = reply.kind === 'tools' ? 'tool_calls' : 'stop'
  const asked = reply.kind === 'text' ? reply.promptTokens : undefined
  const prompt_tokens = asked ?? USUAL_PROMPT_TOKENS
  const usage = {
    completion_tokens: COMPLETION_TOKENS,
    prompt_tokens,
    total_tokens: prompt_tokens + COMPLETION_TOKENS,
    prompt_tokens_details: { cached_tokens: 0 },
  }
  response.write(frame({ choices: [{ finish_reason, index: 0, delta: {} }] }))
  response.write(frame({ choices: [], usage }))
  response.end('data: [DONE]\n\n')
}

function frame(chunk: object): string {
  const common = { created: CREATED, id: 'chatcmpl-scripted', model: 'scripted' }
  return `data: ${JSON.stringify({ ...chunk, ...common, object: 'chat.completion.chunk' })}\n\n`
}
