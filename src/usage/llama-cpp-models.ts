import { LatestMap } from '../collections/latest-map.ts'

/** More models than any box has; names come from clients. */
const MOST = 256

/** Models whose answers have shown that llama.cpp runs them. */
export class LlamaCppModels {
  readonly #ids = new LatestMap<true>(MOST)

  has(model: string): boolean {
    return this.#ids.get(model) ?? false
  }

  add(model: string): void {
    if (!this.has(model)) this.#ids.set(model, true)
  }
}
