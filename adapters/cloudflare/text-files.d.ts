/** Wrangler bundles such a file as its text. */
declare module '*.txt' {
  const text: string
  export default text
}
