/** A whole stream as llama-server sends it, and what a reader must make of it. */
export type StreamSample = {
  name: string
  /** The inference path that answers like this. */
  path: string
  text: string
  bytes: Uint8Array
  /** What the model said. */
  says: string
  /** The token counts that the stream tells; the prompt includes what was cached. */
  tokens: { prompt: number; cached: number; completion: number }
}

const TOKENS = { prompt: 25, cached: 24, completion: 3 }

const USAGE =
  '"usage":{"completion_tokens":3,"prompt_tokens":25,"total_tokens":28,' +
  '"prompt_tokens_details":{"cached_tokens":24}}'

const TIMINGS =
  '"timings":{"cache_n":24,"prompt_n":1,"prompt_ms":12.345,"prompt_per_token_ms":12.345,' +
  '"prompt_per_second":81.0,"predicted_n":3,"predicted_ms":30.5,"predicted_per_token_ms":10.166,' +
  '"predicted_per_second":98.36}'

const CHAT_TAIL =
  '"created":1755000000,"id":"chatcmpl-Zk3Q5v","model":"gpt-oss-120b",' +
  '"system_fingerprint":"b11669-0bdb3720","object":"chat.completion.chunk"'

const CHAT_START = `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],${CHAT_TAIL}}\n\n`

const CHAT_HELLO = ['Hel', 'lo', '!'].map((text) => chatContent(text)).join('')

function chatContent(text: string): string {
  return `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"${text}"}}],${CHAT_TAIL}}\n\n`
}

function chatFinish(rest: string): string {
  return `data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],${CHAT_TAIL}${rest}}\n\n`
}

const DONE = 'data: [DONE]\n\n'

function sample(
  name: string,
  text: string,
  rest: Partial<Pick<StreamSample, 'path' | 'says'>> = {},
): StreamSample {
  const bytes = new TextEncoder().encode(text)
  return {
    name,
    path: '/v1/chat/completions',
    says: 'Hello!',
    tokens: TOKENS,
    ...rest,
    text,
    bytes,
  }
}

/** Chat without `include_usage`: the last chunk has `timings` only. */
export const CHAT: StreamSample = sample(
  'chat without usage',
  CHAT_START + CHAT_HELLO + chatFinish(`,${TIMINGS}`) + DONE,
)

/** Chat with `include_usage`: a further chunk without choices. */
export const CHAT_WITH_USAGE: StreamSample = sample(
  'chat with usage',
  `${CHAT_START}${CHAT_HELLO}${chatFinish('')}` +
    `data: {"choices":[],${CHAT_TAIL},${USAGE},${TIMINGS}}\n\n${DONE}`,
)

/** Chat that reasons and then calls a tool: nothing is said, and the finish reason is not `stop`. */
export const CHAT_WITH_TOOL_CALL: StreamSample = sample(
  'chat with a tool call',
  [
    CHAT_START,
    `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"I should look."}}],${CHAT_TAIL}}\n\n`,
    `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"read","arguments":"{"}}]}}],${CHAT_TAIL}}\n\n`,
    `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\"path\\":\\"a.txt\\"}"}}]}}],${CHAT_TAIL}}\n\n`,
    `data: {"choices":[{"finish_reason":"tool_calls","index":0,"delta":{}}],${CHAT_TAIL},${TIMINGS}}\n\n`,
    DONE,
  ].join(''),
  { says: '' },
)

/** Chat with the comments that llama-server sends during a long prefill and between tokens. */
export const CHAT_WITH_PINGS: StreamSample = sample(
  'chat with pings',
  `:\n\n:\n\n${CHAT_START}:\n\n${CHAT_HELLO}${chatFinish(`,${TIMINGS}`)}:\n\n${DONE}`,
)

/** Chat with CRLF line ends, as some servers and proxies write them. */
export const CHAT_CRLF: StreamSample = sample(
  'chat with CRLF',
  CHAT_WITH_PINGS.text.replaceAll('\n', '\r\n'),
)

/** Chat whose text has characters of two, three and four bytes, one of them joined from several. */
export const CHAT_MULTIBYTE: StreamSample = sample(
  'chat with multi-byte characters',
  CHAT_START +
    ['grüß', ' 世界', ' 👩‍💻🌍'].map((text) => chatContent(text)).join('') +
    chatFinish(`,${TIMINGS}`) +
    DONE,
  { says: 'grüß 世界 👩‍💻🌍' },
)

const TEXT_TAIL =
  '"created":1755000000,"model":"gpt-oss-120b","system_fingerprint":"b11669-0bdb3720",' +
  '"object":"text_completion","id":"cmpl-Zk3Q5v"'

/** `/v1/completions`: usage is in the last chunk, asked for or not. */
export const COMPLETIONS: StreamSample = sample(
  'completions',
  ['Hel', 'lo', '!']
    .map(
      (text) =>
        `data: {"choices":[{"text":"${text}","index":0,"logprobs":null,"finish_reason":null}],${TEXT_TAIL}}\n\n`,
    )
    .join('') +
    `data: {"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],${TEXT_TAIL},${USAGE},${TIMINGS}}\n\n` +
    DONE,
  { path: '/v1/completions' },
)

/** `/v1/messages`: the input count leaves out what was cached; it ends with `message_stop`. */
export const MESSAGES: StreamSample = sample(
  'messages',
  [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_Zk3Q5v","type":"message","role":"assistant","content":[],"model":"gpt-oss-120b","stop_reason":null,"stop_sequence":null,"usage":{"cache_read_input_tokens":24,"input_tokens":1,"output_tokens":0}}}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    ...['Hel', 'lo', '!'].map(
      (text) =>
        `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`,
    ),
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ].join(''),
  { path: '/v1/messages' },
)

const RESPONSE_AT = '"item_id":"msg_Zk3Q5v","output_index":0,"content_index":0'

/** `/v1/responses`: usage is inside `response.completed`, and there is no `[DONE]`. */
export const RESPONSES: StreamSample = sample(
  'responses',
  [
    'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_Zk3Q5v","object":"response","status":"in_progress"}}\n\n',
    'event: response.in_progress\ndata: {"type":"response.in_progress","response":{"id":"resp_Zk3Q5v","object":"response","status":"in_progress"}}\n\n',
    'event: response.output_item.added\ndata: {"type":"response.output_item.added","output_index":0,"item":{"content":[],"id":"msg_Zk3Q5v","role":"assistant","status":"in_progress","type":"message"}}\n\n',
    `event: response.content_part.added\ndata: {"type":"response.content_part.added",${RESPONSE_AT},"part":{"type":"output_text","text":""}}\n\n`,
    ...['Hel', 'lo', '!'].map(
      (text) =>
        `event: response.output_text.delta\ndata: {"type":"response.output_text.delta",${RESPONSE_AT},"delta":"${text}"}\n\n`,
    ),
    `event: response.output_text.done\ndata: {"type":"response.output_text.done",${RESPONSE_AT},"text":"Hello!"}\n\n`,
    `event: response.content_part.done\ndata: {"type":"response.content_part.done",${RESPONSE_AT},"part":{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello!"}}\n\n`,
    'event: response.output_item.done\ndata: {"type":"response.output_item.done","output_index":0,"item":{"type":"message","status":"completed","id":"msg_Zk3Q5v","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello!"}]}}\n\n',
    `event: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_Zk3Q5v","object":"response","created_at":1755000000,"status":"completed","model":"gpt-oss-120b","output":[{"type":"message","status":"completed","id":"msg_Zk3Q5v","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello!"}]}],"usage":{"input_tokens":25,"output_tokens":3,"total_tokens":28,"input_tokens_details":{"cached_tokens":24}}},${TIMINGS}}\n\n`,
  ].join(''),
  { path: '/v1/responses' },
)

/** llama-server's native `/completion`: the last object says `stop`, and there is no `[DONE]`. */
export const NATIVE_COMPLETION: StreamSample = sample(
  'native completion',
  ['Hel', 'lo', '!']
    .map(
      (text, i) =>
        `data: {"index":0,"content":"${text}","tokens":[${i}],"stop":false,"id_slot":-1,"tokens_predicted":${i + 1},"tokens_evaluated":25}\n\n`,
    )
    .join('') +
    `data: {"index":0,"content":"","tokens":[],"id_slot":0,"stop":true,"model":"gpt-oss-120b","tokens_predicted":3,"tokens_evaluated":25,"stop_type":"eos",${TIMINGS}}\n\n`,
  { path: '/completion' },
)

/** Every whole stream above, for tests that must hold for each. */
export const STREAM_SAMPLES: readonly StreamSample[] = [
  CHAT,
  CHAT_WITH_USAGE,
  CHAT_WITH_TOOL_CALL,
  CHAT_WITH_PINGS,
  CHAT_CRLF,
  CHAT_MULTIBYTE,
  COMPLETIONS,
  MESSAGES,
  RESPONSES,
  NATIVE_COMPLETION,
]

/** The sample broken off before its last frame: what llama-swap's silent cut leaves. */
export function withoutTerminator(whole: StreamSample): Uint8Array {
  const blank = whole.text.includes('\r\n\r\n') ? '\r\n\r\n' : '\n\n'
  const lastFrame = whole.text.lastIndexOf(blank, whole.text.length - blank.length - 1)
  return new TextEncoder().encode(whole.text.slice(0, lastFrame + blank.length))
}

/** The bytes in two pieces, cut at every place where both are left with something. */
export function* splitAtEvery(bytes: Uint8Array): Generator<[Uint8Array, Uint8Array]> {
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}
