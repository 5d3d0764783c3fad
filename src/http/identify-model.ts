import { readBody } from '../body/read-body.ts'
import { readContent, type ReadContent } from '../body/read-content.ts'
import { didYouMean } from '../config/did-you-mean.ts'
import type { BodyRead, Deps } from '../deps.ts'
import type { KnownNames, ModelDirectory } from '../llama-swap/model-directory.ts'
import { allowsModel, NO_NAMES, type ModelNames } from '../llama-swap/model-names.ts'
import type { GateContext, GateMiddleware } from './gate-env.ts'
import { refuse } from './refuse.ts'

/** Reads the body once, finds the model it names, and checks it against the key's list. */
export function identifyModel(deps: Deps, directory: ModelDirectory): GateMiddleware {
  return async (c, next) => {
    const encoding = c.req.header('content-encoding') ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') return refuse(c, { kind: 'body-encoded' })
    const body = await bodyOf(c, deps)
    if (body === 'too-large') return refuse(c, { kind: 'body-too-large' })
    if (body === 'too-slow') return refuse(c, { kind: 'request-too-slow' })
    if (body === 'aborted') {
      c.get('scope').hasClientLeft = true
      return new Response(null, { status: 400 })
    }
    c.get('scope').bytesIn = body?.length ?? 0
    const read = readContent(c.get('route').model, {
      body,
      contentType: c.req.header('content-type'),
      search: c.env.target.search,
    })
    if (!read.ok) return refuse(c, read.error)
    // A key typed into the wrong field must not end in the log, whatever it looks like.
    c.get('scope').model = read.model?.replaceAll(c.get('secret'), '…')
    if (read.model !== undefined) {
      const refused = await refusedModel(c, read.model, directory)
      if (refused) return refused
    }
    c.set('content', { ...contentOf(read), body })
    return next()
  }
}

async function bodyOf(c: GateContext, { config, clock }: Deps): Promise<BodyRead | undefined> {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return undefined
  const { maxBytes } = config.body
  if (c.env.readBody) return c.env.readBody(maxBytes)
  return readBody(c.req.raw, maxBytes, { clock, withinMs: config.timeouts.requestBodyMs })
}

function contentOf(
  read: Extract<ReadContent, { ok: true }>,
): Omit<GateContext['var']['content'], 'body'> {
  const { model, contentType, queryModel, streamed, members } = read
  return { model, contentType, queryModel, streamed, members }
}

const ANY_MODEL: KnownNames = { names: NO_NAMES, failure: undefined }

/** The one answer for a model that is not there and for one that this key may not use. */
async function refusedModel(
  c: GateContext,
  model: string,
  directory: ModelDirectory,
): Promise<Response | undefined> {
  const { models } = c.get('principal')
  // A key for all models needs no names: nothing is asked of llama-swap on its way.
  const { names, failure } = models.includes('*')
    ? ANY_MODEL
    : await directory.namesFor(model, c.get('via'))
  if (allowsModel(models, model, names)) return undefined
  // Without llama-swap's list nobody can tell a forbidden or unknown name from a new one: that is no final answer.
  if (failure) return refuse(c, failure)
  return refuse(c, {
    kind: 'model-unknown',
    model,
    suggestion: suggestionFor(model, models, names),
  })
}

function suggestionFor(
  model: string,
  list: readonly string[],
  names: ModelNames,
): string | undefined {
  const known = [...names.ids, ...names.aliases.keys()]
  return didYouMean(
    model,
    known.filter((name) => allowsModel(list, name, names)),
  )
}
