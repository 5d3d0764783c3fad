import { entries, field } from '../../json/read-unknown.ts'
import { showCount } from '../show-count.ts'
import { checkBaseUrl } from './address/check-base-url.ts'
import type { CheckInput } from './check-input.ts'
import { checkUnknown } from './models/check-models.ts'
import { checkNetwork } from './address/check-network.ts'
import type { Found } from './finding.ts'
import { commandFor } from './next-command.ts'
import { isNearGate, leadsElsewhere, providersOfGate, urlOf } from './providers-of-gate.ts'
import {
  number,
  readModels,
  readProviders,
  text,
  type WrittenModel,
  type WrittenProvider,
} from './read-written.ts'

/** What stands in `providers`, the form of OpenCode 2, and leads to the gate. None of it is changed. */
export function checkV2(input: CheckInput): Found[] {
  const isOwn = (provider: WrittenProvider): boolean => isForGate(input, provider)
  const found = [
    ...providersOfGate(input, providersV2(input))
      .filter(isOwn)
      .flatMap((provider) => checkOne(input, provider)),
    ...providersOfGate(input, inFirstForm(input))
      .filter(isOwn)
      .map(({ id, path }) => misplaced(input, { id, path })),
  ]
  return found.map((one) => ({ ...one, changes: [] }))
}

/** The usual name alone says nothing here. */
function isForGate(input: CheckInput, provider: WrittenProvider): boolean {
  if (urlOf(provider) === undefined) return false
  return !leadsElsewhere(input, provider) || isNearGate(provider, input.gate)
}

function providersV2(input: CheckInput): WrittenProvider[] {
  return entries(field(input.document.value, 'providers')).map(([id, value]) => {
    const path = ['providers', id]
    const written = text(field(field(value, 'settings'), 'baseURL'))
    return {
      path,
      id,
      value,
      baseUrl: {
        path: [...path, 'settings', 'baseURL'],
        text: written,
        address: written === undefined ? undefined : input.machine.replaced(written),
        misplaced: undefined,
      },
      models: readModels(input, { path: [...path, 'models'], value, nameField: 'modelID' }),
    }
  })
}

/** Those that stand in `providers` as they would in `provider`. */
function inFirstForm(input: CheckInput): WrittenProvider[] {
  return readProviders(input, 'providers').filter(
    ({ value }) => text(field(field(value, 'settings'), 'baseURL')) === undefined,
  )
}

function misplaced(
  { document }: CheckInput,
  { id, path }: Pick<WrittenProvider, 'id' | 'path'>,
): Found {
  const isAlone = field(document.value, 'provider') === undefined
  return {
    code: 'provider-misplaced',
    severity: 'error',
    path,
    message: `${id} stands in "providers", which OpenCode 1 does not read, and OpenCode 2 in another form.`,
    fix: isAlone ? 'Write "provider" in place of "providers".' : 'Move it into "provider".',
    changes: [],
  }
}

function checkOne(input: CheckInput, provider: WrittenProvider): Found[] {
  const isThereToo = field(field(input.document.value, 'provider'), provider.id) !== undefined
  return [
    ...(isThereToo ? [] : [notChecked(input, provider)]),
    ...checkBaseUrl(input, provider),
    ...checkNetwork(input, provider),
    ...provider.models.flatMap((model) =>
      model.real ? checkContext(model, model.real.context.tokens) : checkUnknown(input, model),
    ),
  ]
}

function notChecked(input: CheckInput, { id, path }: WrittenProvider): Found {
  return {
    code: 'v2-not-checked',
    severity: 'warning',
    path,
    message: `${id} leads to the gate in the form of OpenCode 2, which OpenCode 1 does not read: only its address and its contexts are checked.`,
    fix: `The form that both read, beside it: "${commandFor(input, path)}".`,
    changes: [],
  }
}

/** What OpenCode 2 takes where nothing is written. */
const DEFAULT_CONTEXT = 200_000

function checkContext({ path, value }: WrittenModel, window: number | undefined): Found[] {
  const limit = field(value, 'limit')
  const [context, input] = ['context', 'input'].map((name) => number(field(limit, name)))
  if (window === undefined) return []
  const right = `Write "context": ${window} and "input": ${window}.`
  if (context === undefined && window < DEFAULT_CONTEXT)
    return [
      {
        code: 'limit-missing',
        severity: 'warning',
        path,
        message: `There is no limit.context, so OpenCode 2 takes it for ${showCount(DEFAULT_CONTEXT)} tokens; one request may hold ${showCount(window)}.`,
        fix: right,
        changes: [],
      },
    ]
  const largest = Math.max(context ?? 0, input ?? 0)
  if (largest <= window) return []
  return [
    {
      code: 'context-too-large',
      severity: 'error',
      path: [...path, 'limit', largest === context ? 'context' : 'input'],
      message: `${showCount(largest)} tokens are written, but one request may hold ${showCount(window)}: OpenCode compacts too late, and requests fail.`,
      fix: right,
      changes: [],
    },
  ]
}
