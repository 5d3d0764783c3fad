import { LatestMap } from '../collections/latest-map.ts'
import type { Clock } from '../deps.ts'
import { commandKey } from './command/command-key.ts'
import type { ContextSize } from './context-size.ts'
import type { ServerProps } from './read-props.ts'

/** What a running model has told, by its server or by refusing a request that was too long. */
export type Learned = {
  /** The newer of both truths; undefined where neither was told. */
  context: ContextSize | undefined
  props: ServerProps | undefined
}

const NOTHING: Learned = { context: undefined, props: undefined }

/** A model as it was started; `key` is undefined where nobody knows with which command. */
type Page = Learned & { key: string | undefined; learnedAt: number }

/** A client may make up names of models, and a box has a few dozen at most. */
const MOST_MODELS = 1000
/** A model is not started anew so soon after an answer: what runs by then is what has answered. */
const TIED_WITHIN_MS = 10_000

/**
 * Keeps what was learned of running models, each with the command line that it was started with: with another command
 * line the model is another one, and what was learned does not hold for it.
 */
export class ContextBook {
  readonly #clock: Pick<Clock, 'now'>
  readonly #pages = new LatestMap<Page>(MOST_MODELS)
  /** The commands of what ran when llama-swap was last asked. */
  #running: ReadonlyMap<string, string | undefined> = new Map()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Takes what runs now: ids with the command lines, where these were told. */
  see(running: readonly { model: string; command: string | undefined }[]): void {
    this.#running = new Map(
      running.map(({ model, command }) => [model, command && commandKey(command)]),
    )
    for (const [model, key] of this.#running) {
      const page = this.#pages.get(model)
      if (!page || key === undefined) continue
      if (this.#isOf(page, key)) page.key = key
      else this.#pages.delete(model)
    }
  }

  /**
   * A running model's server has described itself.
   *
   * @param command the command line with which it ran when it was asked; it may have been started anew meanwhile
   */
  learnProps(model: string, props: ServerProps, command: string): void {
    const key = commandKey(command)
    if ((this.#running.get(model) ?? key) !== key) return
    const page = this.#open(model, key)
    page.props = props
    if (props.context === undefined) return
    page.context = {
      tokens: props.context,
      source: 'props',
      certainty: 'exact',
      why: 'the running model says so',
    }
  }

  /**
   * A running model has refused a request that was too long for it.
   *
   * @param configured its command line in llama-swap's configuration, which counts where it is not known what runs
   * @returns whether it is known with which command it runs; otherwise it is forgotten unless `see` tells soon
   */
  learnOverflow(model: string, tokens: number, configured: string | undefined): boolean {
    const key = this.#keyOf(model, configured)
    this.#open(model, key).context = {
      tokens,
      source: 'overflow',
      certainty: 'exact',
      why: 'the model said so when a request was too long',
    }
    return key !== undefined
  }

  /** What is known of a model from its running, as far as it is started, or would be, with the same command line. */
  of(model: string, configured: string | undefined): Learned {
    const page = this.#pages.get(model)
    if (!page) return NOTHING
    const key = this.#keyOf(model, configured)
    return key === undefined || this.#isOf(page, key) ? page : NOTHING
  }

  #keyOf(model: string, configured: string | undefined): string | undefined {
    return this.#running.get(model) ?? (configured && commandKey(configured))
  }

  /** Whether a page is that of a command, or was written so lately that nobody had asked for the command yet. */
  #isOf(page: Page, key: string | undefined): boolean {
    if (page.key !== undefined || key === undefined) return page.key === key
    return Math.abs(this.#clock.now() - page.learnedAt) <= TIED_WITHIN_MS
  }

  #open(model: string, key: string | undefined): Page {
    const known = this.#pages.get(model)
    if (known && this.#isOf(known, key)) {
      known.key = key
      known.learnedAt = this.#clock.now()
      return known
    }
    const page: Page = { ...NOTHING, key, learnedAt: this.#clock.now() }
    this.#pages.set(model, page)
    return page
  }
}
