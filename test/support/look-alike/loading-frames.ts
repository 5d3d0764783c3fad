import { dataFrame } from './frame.ts'

/** llama-swap's `sendLoadingState` chunks: reasoning text without id, object, model or index. */
export function loadingFrames(model: string): Buffer[] {
  return ['━━━━━\n', `llama-swap loading model: ${model}\n`, '.', '.', 'Done! (3.33s)\n'].map(
    (text) => Buffer.from(dataFrame({ choices: [{ delta: { reasoning_content: text } }] })),
  )
}
