import { commandKey } from './command-key.ts'
import type { ContextSize } from './context-size.ts'
import type { ServerProps } from './read-props.ts'

/** What a running model has told, by its server or by refusing a request that was too long. */
export type Learned = {
  /** The newer of both truths; undefined where neither was told. */
  context: ContextSize | undefined
  props: ServerProps | undefined
}

const NOTHING: Learned = { context: undefined, props: undefined }

/** A model as it was started; undefined where nobody knows with which command. */
type Page = Learned & { key: string | undefined }

/** A client may make up names of models, and a box has a few dozen at most. */
const MOST_MODELS = 1000

/**
 * Keeps what was learned of running models, each with the command line that it was started with: with another command
 * line the model is another one, and what was learned does not hold for it.
 */
export class ContextBook {
  readonly #pages = new Map<string, Page>()
  /** The commands of what ran when llama-swap was last asked. */
  #running: ReadonlyMap<string, string | undefined> = new Map()

  /** Takes what runs now: ids with the command lines, where these were told. */
  see(running: readonly { model: string; command: string | undefined }[]): void {
    this.#running = new Map(
      running.map(({ model, command }) => [model, command && commandKey(command)]),
    )
    for (const [model, key] of this.#running) {
      const page = this.#pages.get(model)
      // It was learned just before its command was known.
      if (page && page.key === undefined) page.key = key
    }
  }

  /** A running model's server has described itself. */
  learnProps(model: string, props: ServerProps): void {
    const page = this.#open(model, undefined)
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
   */
  learnOverflow(model: string, tokens: number, configured: string | undefined): void {
    this.#open(model, configured).context = {
      tokens,
      source: 'overflow',
      certainty: 'exact',
      why: 'the model said so when a request was too long',
    }
  }

  /** What is known of a model from its running, as far as it is started, or would be, with the same command line. */
  of(model: string, configured: string | undefined): Learned {
    const page = this.#pages.get(model)
    if (!page) return NOTHING
    const key = this.#keyOf(model, configured)
    return key === undefined || page.key === undefined || key === page.key ? page : NOTHING
  }

  #keyOf(model: string, configured: string | undefined): string | undefined {
    return this.#running.get(model) ?? (configured && commandKey(configured))
  }

  #open(model: string, configured: string | undefined): Page {
    const key = this.#keyOf(model, configured)
    const known = this.#pages.get(model)
    if (known && (known.key === key || known.key === undefined || key === undefined)) {
      known.key ??= key
      return known
    }
    const page: Page = { ...NOTHING, key }
    this.#pages.delete(model)
    this.#pages.set(model, page)
    const [oldest] = this.#pages.keys()
    if (oldest !== undefined && this.#pages.size > MOST_MODELS) this.#pages.delete(oldest)
    return page
  }
}
