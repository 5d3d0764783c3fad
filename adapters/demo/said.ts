import { isObject } from './json.ts'

/** The newest text a user wrote, out of a list of messages of any dialect or a bare string. */
export function lastUserText(messages: unknown): string {
  if (typeof messages === 'string') return messages
  if (!Array.isArray(messages)) return ''
  const items: unknown[] = messages
  const last = items.findLast((item) => isObject(item) && item['role'] === 'user')
  return isObject(last) ? textOf(last['content']) : ''
}

/**
 * The text of a message. Of several parts the last one counts: agents put their own reminders
 * first and the user's words at the end.
 */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  const parts: unknown[] = content
  const texts = parts.map((part) => (isObject(part) ? part['text'] : part))
  return texts.findLast((text) => typeof text === 'string') ?? ''
}
