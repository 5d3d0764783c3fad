import { didYouMean } from '../../../config/did-you-mean.ts'
import type { CatalogueModel } from '../../../llama-swap/catalogue.ts'
import { field } from '../../../json/read-unknown.ts'
import { opencodeModels } from '../../render-config.ts'
import type { CheckInput } from '../check-input.ts'
import { checkLimits } from '../limits/check-limits.ts'
import type { Found } from '../finding.ts'
import { commandFor } from '../next-command.ts'
import { modalities, type WrittenModel } from '../read-written.ts'

/** One model of the file against what the gate has. */
export function checkModel(input: CheckInput, model: WrittenModel): Found[] {
  const { real } = model
  if (!real) return [...checkUnknown(input, model), ...checkLimits(input, model)]
  if (real.use !== 'chat') return [notForChats(model, real)]
  return [...checkLimits(input, model), ...checkTools(model, real), ...checkImages(model, real)]
}

/** The models for chats that the gate has and the file has not. */
export function checkMissing(
  input: CheckInput,
  written: readonly WrittenModel[],
  path: Found['path'],
): Found[] {
  const { models = [], document } = input
  // A list is told as what OpenCode refuses.
  if (Array.isArray([...path, 'models'].reduce(field, document.value))) return []
  const known = new Set(
    written.flatMap(({ real, wireName }) => [
      wireName,
      ...(real ? [real.id, ...real.aliases] : []),
    ]),
  )
  const names = opencodeModels(models)
    .filter(({ id, aliases }) => ![id, ...aliases].some((name) => known.has(name)))
    .map(({ id }) => id)
  if (names.length === 0) return []
  return [
    {
      code: 'model-missing',
      severity: 'hint',
      path: [...path, 'models'],
      message: `The gate has ${names.join(', ')}, too, which OpenCode does not show.`,
      fix: `"${commandFor(input, path)}" adds what is missing.`,
      changes: [],
    },
  ]
}

/** A model that the gate does not have, or not for this key. */
export function checkUnknown({ models }: CheckInput, { path, wireName }: WrittenModel): Found[] {
  if (!models) return []
  const names = models.flatMap(({ id, aliases }) => [id, ...aliases])
  const meant = didYouMean(wireName, names)
  return [
    {
      code: 'model-unknown',
      severity: 'error',
      path,
      message: `The gate knows no model ${wireName}, or your key may not use it: requests end with 404.`,
      fix:
        meant === undefined
          ? `Known: ${opencodeModels(models)
              .map(({ id }) => id)
              .join(', ')}.`
          : `Did you mean ${meant}?`,
      changes: [],
    },
  ]
}

function notForChats({ path, wireName }: WrittenModel, { use }: CatalogueModel): Found {
  const is = use === 'other' ? 'not for chats' : `for ${use}`
  const message = `${wireName} is ${is}, but OpenCode lists it as a model to talk to.`
  return {
    code: 'model-not-for-chats',
    severity: 'warning',
    path,
    message,
    fix: 'Remove it.',
    changes: [],
  }
}

function checkTools({ path, value }: WrittenModel, { tools }: CatalogueModel): Found[] {
  const isOn = field(value, 'tool_call') !== false
  const change = (set: boolean): Pick<Found, 'path' | 'changes'> => ({
    path: [...path, 'tool_call'],
    changes: [{ path: [...path, 'tool_call'], value: set }],
  })
  if (!isOn && tools === true)
    return [
      {
        ...change(true),
        code: 'tools-off',
        severity: 'warning',
        message: 'The model can call tools, but OpenCode is told that it cannot: it can only talk.',
        fix: 'Write "tool_call": true.',
      },
    ]
  if (!isOn || tools !== false) return []
  return [
    {
      ...change(false),
      code: 'tools-missing',
      severity: 'warning',
      message: 'The model is run so that it cannot call tools, but OpenCode offers it some.',
      fix: 'Run it with --jinja in config.yaml, or write "tool_call": false.',
    },
  ]
}

function checkImages({ path, value }: WrittenModel, real: CatalogueModel): Found[] {
  const input = modalities(value, 'input')
  const isWritten = input.includes('image') || field(value, 'attachment') === true
  const isReal = real.input.includes('image')
  if (isWritten === isReal) return []
  const attachment = { path: [...path, 'attachment'], value: isReal ? true : undefined }
  const kinds = isReal ? real.input : input.filter((kind) => kind !== 'image')
  const change = {
    path: [...path, 'modalities', 'input'],
    value: kinds.length > 0 ? kinds : ['text'],
  }
  const output =
    modalities(value, 'output').length > 0
      ? []
      : [{ path: [...path, 'modalities', 'output'], value: ['text'] }]
  return [
    {
      code: isReal ? 'image-not-offered' : 'image-without-mmproj',
      severity: isReal ? 'hint' : 'warning',
      path: [...path, 'modalities'],
      message: isReal
        ? 'The model sees pictures, but OpenCode is not told so and puts an error text in their place.'
        : 'OpenCode sends pictures to the model, which is run without --mmproj and cannot see them.',
      fix: isReal
        ? 'Write "attachment": true, and "image" into modalities.input.'
        : 'Remove "image" and "attachment", or run the model with --mmproj.',
      changes: [change, ...output, attachment],
    },
  ]
}
