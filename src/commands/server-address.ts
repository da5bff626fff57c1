/** Whether an address is this machine's own. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** Whether a key is of one agent's own, by its form: it says whose it is. A shared one takes any name. */
export function isOwnKey(api_key: string): boolean {
  return /^scs_[0-9a-f]{16}_/.test(api_key)
}

/** Where a command looks that is told nothing else. */
export const DEFAULT_URL = 'http://127.0.0.1:23456'

/** What is added to a command line so that it means this server: ` --url …`, or nothing for the usual one. */
export function urlOption(url: string): string {
  if (url === DEFAULT_URL) return ''
  // A shell takes brackets, as in http://[::1]:23456, for a pattern.
  return /^[\w.:/~-]+$/.test(url) ? ` --url ${url}` : ` --url "${url}"`
}
