/**
 * A map of bounded size: of more than `most` names the one that was set longest ago is forgotten. Names that clients
 * make up fill no memory.
 */
export class LatestMap<Value> {
  readonly #most: number
  readonly #values = new Map<string, Value>()

  constructor(most: number) {
    this.#most = most
  }

  get(name: string): Value | undefined {
    return this.#values.get(name)
  }

  /** Sets a value, and makes its name the latest. */
  set(name: string, value: Value): void {
    this.#values.delete(name)
    this.#values.set(name, value)
    const [oldest] = this.#values.keys()
    if (oldest !== undefined && this.#values.size > this.#most) this.#values.delete(oldest)
  }

  delete(name: string): void {
    this.#values.delete(name)
  }
}
