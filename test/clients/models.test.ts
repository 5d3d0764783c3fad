import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEYS, startBox, type Box } from './gate.ts'
import { anthropicFor, openaiFor } from './sdks.ts'

const ALL = ['gpt-oss-120b', 'glm-4.7-flash', 'qwen3-coder-next', 'fast', 'cloud/big-model']

async function idsOf(list: AsyncIterable<{ id: string }>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of list) ids.push(id)
  return ids
}

describe('the list of models', () => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterAll(() => box.stop())

  test.each([
    ['user', ALL],
    ['limited', ['glm-4.7-flash']],
  ] as const)(
    'has for the key of %s in both SDKs the models that it may use, and an end',
    async (name, ids) => {
      const ask = { url: box.url, key: KEYS[name], model: '' }
      expect({
        openai: await idsOf(openaiFor(ask).models.list()),
        anthropic: await idsOf(anthropicFor(ask).models.list()),
        'anthropic, as Claude Code asks': await idsOf(
          anthropicFor(ask).models.list({ limit: 1000 }),
        ),
      }).toEqual({ openai: ids, anthropic: ids, 'anthropic, as Claude Code asks': ids })
    },
  )

  test('has in each SDK the fields that its types promise and a person needs', async () => {
    const ask = { url: box.url, key: KEYS.user, model: '' }
    const [openai] = (await openaiFor(ask).models.list()).data
    const page = await anthropicFor(ask).models.list({ limit: 1000 })
    const coder = page.data.find(({ id }) => id === 'qwen3-coder-next')
    expect({
      openai: [typeof openai?.created, openai?.object, openai?.owned_by],
      anthropic: [coder?.type, coder?.display_name, coder?.created_at.slice(0, 2)],
      page: [page.has_more, page.first_id, page.last_id, page.hasNextPage()],
    }).toEqual({
      openai: ['number', 'model', 'llama-swap'],
      anthropic: ['model', 'Qwen3 Coder Next', '20'],
      page: [false, 'gpt-oss-120b', 'cloud/big-model', false],
    })
  })
})
