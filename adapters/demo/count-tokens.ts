import type { Work } from './call.ts'
import { messages } from './messages.ts'
import { sendJson, sendLlamaError } from './replies.ts'
import { countTokens, promptText } from './tokens.ts'

/** POST /v1/messages/count_tokens: what the prompt would cost. It loads the model like any call. */
export const countPromptTokens: Work = ({ visit, body }) => {
  const problem = messages.check(body)
  if (problem) return sendLlamaError(visit.res, problem)
  sendJson(visit.res, 200, { input_tokens: countTokens(promptText(messages.prompt(body))) })
}
