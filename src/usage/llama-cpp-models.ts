/** More models than any box has; names come from clients. */
const MOST = 256

/** Models whose answers have shown that llama.cpp runs them. */
export class LlamaCppModels {
  readonly #ids = new Set<string>()

  has(model: string): boolean {
    return this.#ids.has(model)
  }

  add(model: string): void {
    if (this.#ids.has(model)) return
    const [oldest] = this.#ids
    if (oldest !== undefined && this.#ids.size >= MOST) this.#ids.delete(oldest)
    this.#ids.add(model)
  }
}
