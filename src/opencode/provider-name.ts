// OpenCode handles errors of providers with these names in ways of its own: it repeats a 404 of the first.
const PROVIDER_NAME = /^(?!openai|opencode)[a-z0-9][a-z0-9._-]{0,63}$/

/** Whether a provider of OpenCode can be called so: as `provider` of `/opencode.json` takes it. */
export function isProviderName(text: string): boolean {
  return PROVIDER_NAME.test(text)
}
