import { didYouMean } from '../../../config/did-you-mean.ts'
import { field } from '../../../json/read-unknown.ts'
import { createResidency } from '../../../queue/residency.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { CheckInput } from '../check-input.ts'
import { choiceAt, MAIN, sectionPaths, SMALL, type Choice } from './choices.ts'
import type { Found } from '../finding.ts'
import { hiddenBy } from './hidden-models.ts'
import { providersOfGate } from '../providers-of-gate.ts'
import { readProviders, type WrittenModel, type WrittenProvider } from '../read-written.ts'

type About = { input: CheckInput; provider: WrittenProvider }

/** Which models are chosen for what: each one must be there, and a change between two of them can cost a load. */
export function checkChoices(input: CheckInput, provider: WrittenProvider): Found[] {
  const { value } = input.document
  const about = { input, provider }
  const paths = [MAIN, SMALL, ...sectionPaths(value)]
  const [main, small, ...agents] = paths.map((path) => choiceAt(value, path))
  const chosen = [main, small, ...agents].filter((choice) => choice !== undefined)
  const usual = main ? modelOf(about, main) : provider.models[0]
  const isFirst = providersOfGate(input, readProviders(input))[0]?.id === provider.id
  return [
    ...(isFirst ? paths.flatMap((path) => withoutSlash(about, path)) : []),
    ...chosen.flatMap((choice) => [...missing(about, choice), ...misspelt(about, choice)]),
    ...(small && usual ? checkSmall(about, small, usual) : []),
    ...agents.flatMap((choice) => (choice && usual ? checkAgent(about, choice, usual) : [])),
  ]
}

function modelOf({ provider }: About, choice: Choice): WrittenModel | undefined {
  if (choice.provider !== provider.id) return undefined
  return provider.models.find(({ key }) => key === choice.model)
}

/** The first part would be the provider's name, and the model's be empty. */
function withoutSlash({ input, provider }: About, path: JsonPath): Found[] {
  const written = path.reduce(field, input.document.value)
  if (typeof written !== 'string' || written.includes('/')) return []
  const isKey = provider.models.some(({ key }) => key === written)
  const right = `${provider.id}/${isKey ? written : '<model>'}`
  return [
    {
      code: 'choice-without-provider',
      severity: 'error',
      path,
      message: `${JSON.stringify(written)} names no provider, so OpenCode finds no model: it must be "provider/model".`,
      fix: `Write "${right}".`,
      changes: isKey ? [{ path, value: right }] : [],
    },
  ]
}

/** Only a name that is nearly ours: OpenCode has many providers built in, and others may be logged in to. */
function misspelt({ input, provider }: About, { path, ...choice }: Choice): Found[] {
  const isKnown =
    field(field(input.document.value, 'provider'), choice.provider) !== undefined ||
    input.machine.storedKeys.has(choice.provider)
  if (isKnown || didYouMean(choice.provider, [provider.id]) === undefined) return []
  const right = `${provider.id}/${choice.model}`
  return [
    {
      code: 'choice-provider-unknown',
      severity: 'error',
      path,
      message: `There is no provider ${choice.provider}, so OpenCode finds no model.`,
      fix: `Did you mean "${right}"?`,
      changes: [],
    },
  ]
}

function missing(about: About, choice: Choice): Found[] {
  const { id, models } = about.provider
  const model = modelOf(about, choice)
  const isHidden = model !== undefined && hiddenBy(about.provider, model) !== undefined
  if (choice.provider !== id || (model && !isHidden)) return []
  const shown = models.filter((one) => hiddenBy(about.provider, one) === undefined)
  return [
    {
      code: 'choice-missing',
      severity: 'error',
      path: choice.path,
      message: isHidden
        ? `${choice.model} is chosen here, but OpenCode does not show it.`
        : `${choice.model} is chosen here, but ${id} has no such model in this file.`,
      fix:
        shown.length > 0
          ? `One of: ${shown.map(({ key }) => `${id}/${key}`).join(', ')}.`
          : 'Add the model.',
      changes: [],
    },
  ]
}

function checkSmall(about: About, small: Choice, usual: WrittenModel): Found[] {
  const model = modelOf(about, small)
  if (small.provider !== about.provider.id)
    return [
      {
        code: 'small-model-elsewhere',
        severity: 'hint',
        path: small.path,
        message: `The first message of every session goes to ${small.provider}, too, for a title.`,
        fix: 'Remove small_model to keep it on the box.',
        changes: [],
      },
    ]
  if (!model || !swaps(about, model, usual)) return []
  return [
    {
      code: 'small-model-swaps',
      severity: 'warning',
      path: small.path,
      message: `Each new session loads ${model.wireName} for its title and ${usual.wireName} again for the answer: they are not loaded together.`,
      fix: 'Remove small_model.',
      changes: [],
    },
  ]
}

function checkAgent(about: About, choice: Choice, usual: WrittenModel): Found[] {
  const model = modelOf(about, choice)
  if (!model || !swaps(about, model, usual)) return []
  return [
    {
      code: 'agent-model-swaps',
      severity: 'warning',
      path: choice.path,
      message: `It loads ${model.wireName} in place of ${usual.wireName}, and back again afterwards: they are not loaded together.`,
      fix: `Use one model for both, or put both into a group with "swap: false" in config.yaml.`,
      changes: [],
    },
  ]
}

/** Without llama-swap's configuration one model is taken to be loaded at a time, as it is unless groups say otherwise. */
function swaps({ input }: About, one: WrittenModel, other: WrittenModel): boolean {
  const idOf = ({ real, wireName }: WrittenModel): string => {
    if (real?.kind !== 'alias') return real?.id ?? wireName
    return (
      input.models?.find(({ id, kind }) => kind === 'model' && real.aliases.includes(id))?.id ??
      real.id
    )
  }
  const remote = new Set(input.models?.filter(({ kind }) => kind === 'peer').map(({ id }) => id))
  const residency = createResidency(input.box?.groups ?? [], (id) => remote.has(id))
  const [a, b] = [idOf(one), idOf(other)]
  return residency.evicts(a, b) || residency.evicts(b, a)
}
