/** Stands at the end of every help text. */
export const EXIT_CODES = `Exit codes:
  0  done, or stopped as asked
  1  something failed: a port is taken, llama-swap ended, a file cannot be written, "check" found an error
  2  wrong usage or configuration
`
