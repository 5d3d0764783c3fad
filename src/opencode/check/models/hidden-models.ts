import { field, texts } from '../../../json/read-unknown.ts'
import type { Found } from '../finding.ts'
import { text, type WrittenModel, type WrittenProvider } from '../read-written.ts'

type Hiding = 'whitelist' | 'blacklist' | 'status'

type Shown = Pick<WrittenModel, 'key' | 'value' | 'path'>

/** What keeps a model out of OpenCode's list, though it stands in the file; undefined where nothing does. */
export function hiddenBy(
  { value }: Pick<WrittenProvider, 'value'>,
  model: Pick<Shown, 'key' | 'value'>,
): Hiding | undefined {
  const allowed = field(value, 'whitelist')
  if (Array.isArray(allowed) && !allowed.includes(model.key)) return 'whitelist'
  if (texts(field(value, 'blacklist')).includes(model.key)) return 'blacklist'
  return /^(?:alpha|deprecated)$/.test(statusOf(model)) ? 'status' : undefined
}

const LISTS = {
  whitelist: ['does not name', 'Add to it'],
  blacklist: ['names', 'Take out of it'],
} as const

/** Models that stand in the file and are not shown. */
export function checkHidden(
  provider: Pick<WrittenProvider, 'value' | 'path'> & { models: readonly Shown[] },
): Found[] {
  const hidden = provider.models.map((model) => ({ model, by: hiddenBy(provider, model) }))
  const isAll = hidden.length > 0 && hidden.every(({ by }) => by !== undefined)
  const severity = isAll ? 'error' : 'warning'
  const byList = (['whitelist', 'blacklist'] as const).flatMap((by): Found[] => {
    const names = hidden.filter((one) => one.by === by).map(({ model }) => model.key)
    if (names.length === 0) return []
    const [why, fix] = LISTS[by]
    return [
      {
        code: 'model-hidden',
        severity,
        path: [...provider.path, by],
        message: `OpenCode does not show ${names.join(', ')}: "${by}" ${why} ${names.length > 1 ? 'them' : 'it'}.`,
        fix: `${fix} what you want to see, or remove "${by}".`,
        changes: [],
      },
    ]
  })
  const byStatus = hidden
    .filter(({ by }) => by === 'status')
    .map(({ model }): Found => ({
      code: 'model-hidden',
      severity,
      path: [...model.path, 'status'],
      message: `OpenCode does not show ${model.key}: its status is "${statusOf(model)}".`,
      fix: 'Remove "status".',
      changes: [],
    }))
  return [...byList, ...byStatus]
}

function statusOf({ value }: Pick<Shown, 'value'>): string {
  return text(field(value, 'status')) ?? ''
}
