import { LatestMap } from '../collections/latest-map.ts'
import type { AskModelServer, Clock, Deps } from '../deps.ts'
import { ask, type AskingFor } from './ask.ts'
import { ContextBook, type Learned } from './context-book.ts'
import type { ModelDirectory } from './model-directory.ts'
import { readProps } from './read-props.ts'
import { readRunning, type RunningModel } from './read-running.ts'
import { isWorthAsking, wantsKey } from './command/running-command.ts'
import { onePerWay, shareQuestion } from './shared-question.ts'

/** Finds out what running models can hold, and never has one loaded, kept loaded or kept busy for it. */
export type ContextWatch = {
  /** Asks what runs, and the servers of what is ready; over when all of them have answered. */
  look(via: string | undefined): Promise<void>
  /** What is known of a model from its running. */
  of(id: string): Learned
  /** A model has refused a request that was longer than the `tokens` it holds. */
  overflowed(id: string, tokens: number): void
  /** A model has answered a request, so it runs: a good time to ask it, in the background. */
  answered(id: string, via: string | undefined): void
}

/** The same command may load with less room where memory is short. */
const ASK_AGAIN_MS = 30_000
/** Where something else than the model answers, that is not ours to ask. */
const ASK_STRANGERS_AGAIN_MS = 600_000
const MOST_REMEMBERED = 1000

/** When something was last done for each of the latest names. */
class LastTimes {
  readonly #within: number
  readonly #times = new LatestMap<number>(MOST_REMEMBERED)

  constructor(within: number) {
    this.#within = within
  }

  /** Whether it was done lately. */
  has(name: string, now: number): boolean {
    // The clock may jump back: a time in the future is no reason to wait.
    return Math.abs(now - (this.#times.get(name) ?? -Infinity)) < this.#within
  }

  note(name: string, now: number): void {
    this.#times.set(name, now)
  }

  /** Whether it is time to do it again; then it counts as done `now`. */
  isDue(name: string, now: number): boolean {
    if (this.has(name, now)) return false
    this.note(name, now)
    return true
  }
}

type Asked = { model: string; server: string; command: string }

/** Asks the servers of models, each at most every thirty seconds. */
class Servers {
  readonly #clock: Clock
  readonly #askServer: AskModelServer
  readonly #book: ContextBook
  readonly #asked = new LastTimes(ASK_AGAIN_MS)
  readonly #strangers = new LastTimes(ASK_STRANGERS_AGAIN_MS)
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(clock: Clock, askServer: AskModelServer, book: ContextBook) {
    this.#clock = clock
    this.#askServer = askServer
    this.#book = book
  }

  async askAll(running: readonly RunningModel[]): Promise<void> {
    // Any other state: it would answer nothing, or its port may be another's by now.
    const ready = running.filter(({ state }) => state === 'ready')
    await Promise.all(ready.map((model) => this.#askOnce(model)))
  }

  #askOnce({ model, server, command }: RunningModel): Promise<void> {
    if (server === undefined || command === undefined || !isWorthAsking(command))
      return Promise.resolve()
    // One that was started anew is another model.
    const name = JSON.stringify([model, server, command])
    const underWay = this.#underWay.get(name)
    if (underWay) return underWay
    const now = this.#clock.now()
    if (this.#strangers.has(name, now) || !this.#asked.isDue(name, now)) return Promise.resolve()
    const asking = this.#ask(name, { model, server, command }).finally(() =>
      this.#underWay.delete(name),
    )
    this.#underWay.set(name, asking)
    return asking
  }

  async #ask(name: string, { model, server, command }: Asked): Promise<void> {
    const text = await this.#askServer(server, wantsKey(command))
    if (text === undefined) return
    const props = readProps(text, command)
    if (props) this.#book.learnProps(model, props, command)
    else this.#strangers.note(name, this.#clock.now())
  }
}

/** Watches the models of this box; without `askModelServer` only the way that they are started, and what they refuse. */
export function createContextWatch(
  { clock, askModelServer }: Pick<Deps, 'clock' | 'askModelServer'>,
  asking: AskingFor,
  directory: Pick<ModelDirectory, 'config' | 'isOfNoModelHere'>,
): ContextWatch {
  const book = new ContextBook(clock)
  const servers = askModelServer && new Servers(clock, askModelServer, book)
  const looked = new LastTimes(ASK_AGAIN_MS)
  async function lookOnce(via: string | undefined): Promise<void> {
    const answer = await ask(asking(via), '/running')
    const running = typeof answer === 'object' ? readRunning(answer.text) : undefined
    if (!running) return
    book.see(running)
    await servers?.askAll(
      running.map((one) => ({ ...one, command: one.command ?? commandOf(one.model) })),
    )
  }
  const wayOf = onePerWay((via) => shareQuestion(clock, () => lookOnce(via)))
  const commandOf = (id: string): string | undefined =>
    directory.config().models.get(id)?.commandLine
  const of = (id: string): Learned => book.of(id, commandOf(id))
  return {
    of,
    look: (via) => wayOf(via)(),
    overflowed(id, tokens) {
      // Only llama-swap knows which model it was, and a peer's command is not known.
      if (directory.isOfNoModelHere(id)) return
      if (book.learnOverflow(id, tokens, commandOf(id)) || !looked.isDue(id, clock.now())) return
      // Shared with nobody: on Workers it is lost when the request is over, and who shared it would wait in vain.
      lookOnce(undefined).catch(() => undefined)
    },
    answered(id, via) {
      if (!servers || directory.isOfNoModelHere(id) || of(id).props) return
      // Where it cannot be asked, the next request is no reason to try again at once.
      if (looked.isDue(id, clock.now())) wayOf(via)().catch(() => undefined)
    },
  }
}
