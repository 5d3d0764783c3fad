import type { CatalogueModel } from '../llama-swap/catalogue.ts'

/** The programs that the gate knows settings for, as they are named on the command line. */
export const CLIENTS = [
  'opencode',
  'claude',
  'codex',
  'zed',
  'continue',
  'open-webui',
  'aider',
  'curl',
] as const

export type ClientName = (typeof CLIENTS)[number]

/** What settings are written for. */
export type ConnectTo = {
  /** Where the client reaches the gate, without `/v1` and without a trailing slash. */
  baseUrl: string
  /** The models that the key may use; empty where they are not known. */
  models: readonly CatalogueModel[]
  /** The model to begin with; `firstModel` of those for chats where it is not given. */
  model?: string | undefined
  /** The environment variable that holds the key. Settings name it and never hold the key itself. */
  keyVariable: string
}

/** A piece of text to paste. */
export type SnippetBlock = {
  /** Where it belongs: a file, a terminal, a page of settings. */
  where: string
  language: 'sh' | 'json' | 'yaml' | 'toml' | 'text'
  text: string
}

/** How one client is connected to the gate. */
export type Snippet = {
  client: ClientName
  title: string
  blocks: readonly SnippetBlock[]
  /** What goes wrong otherwise: time-outs, CORS, models for background tasks. */
  notes: readonly string[]
}
