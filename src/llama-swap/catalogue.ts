import type { ContextSize } from './context-size.ts'

export type Modality = 'text' | 'image' | 'audio' | 'video'

/** What a model is there for. */
export type ModelUse = 'chat' | 'embeddings' | 'rerank' | 'other'

/** What a model can do, as far as anybody has said. */
export type ModelTraits = {
  use: ModelUse
  input: readonly Modality[]
  output: readonly Modality[]
  /** Whether it calls tools; undefined where nobody said. */
  tools: boolean | undefined
  /** Whether it thinks before it answers. */
  reasoning: boolean
  /** Most tokens of one answer, where the server has such a limit. */
  outputLimit: number | undefined
  /** Requests that its server works on at the same time. */
  slots: number | undefined
}

/** One name by which a client can ask for a model, with all that the gate knows about it. */
export type CatalogueModel = ModelTraits & {
  id: string
  /** What people call it; undefined where nobody gave it a name. */
  name: string | undefined
  description: string | undefined
  /** What the name stands for. Only llama-swap knows which model a selector or a profile's pin ends at. */
  kind: 'model' | 'alias' | 'peer' | 'selector' | 'profile'
  /** The other names of the same model. */
  aliases: readonly string[]
  context: ContextSize
  isLoaded: boolean
}
