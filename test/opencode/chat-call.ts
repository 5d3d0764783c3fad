import type { IncomingHttpHeaders } from 'node:http'
import * as z from 'zod'

/** What OpenCode wants with a request. */
export type CallKind = 'title' | 'compaction' | 'subagent' | 'main'

/** What the tests read of the body of a chat request. */
const bodySchema = z.looseObject({
  model: z.string(),
  max_tokens: z.number().optional(),
  messages: z.array(
    z.looseObject({
      role: z.string(),
      content: z.union([z.string(), z.array(z.unknown())]).nullish(),
    }),
  ),
})

/** One chat request as it reached the box. */
export type ChatCall = {
  kind: CallKind
  model: string
  sessionId: string | undefined
  parentSessionId: string | undefined
  /** Of this kind and session, from 1 on. */
  nth: number
  messages: readonly Message[]
  /** The last message as text. */
  last: string
  maxTokens: number | undefined
}

type Message = z.infer<typeof bodySchema>['messages'][number]

/** Reads a chat request of OpenCode. */
export function readChatCall(text: string, headers: IncomingHttpHeaders): Omit<ChatCall, 'nth'> {
  const body = bodySchema.parse(JSON.parse(text))
  const sessionId = headerOf(headers, 'x-session-id')
  const parentSessionId = headerOf(headers, 'x-parent-session-id')
  const system = body.messages.filter(({ role }) => role === 'system').map(textOf)
  return {
    kind: kindOf(system.join('\n'), parentSessionId),
    model: body.model,
    sessionId,
    parentSessionId,
    messages: body.messages,
    last: body.messages.slice(-1).map(textOf).join(''),
    maxTokens: body.max_tokens,
  }
}

function kindOf(system: string, parentSessionId: string | undefined): CallKind {
  if (system.includes('You are a title generator')) return 'title'
  if (system.includes('context summarization agent')) return 'compaction'
  return parentSessionId === undefined ? 'main' : 'subagent'
}

function textOf({ content }: Message): string {
  return typeof content === 'string' ? content : JSON.stringify(content ?? '')
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join() : value
}
