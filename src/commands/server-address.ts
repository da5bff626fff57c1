import { UsageError } from './command.js'
import { isAddress, readProfile } from './profile.js'

/** The server that `npm start` runs. */
export const DEFAULT_URL = 'http://127.0.0.1:23456'

/** The server's base address: of the option, the environment, the profile `default`, else the one of `npm start`. */
export async function serverUrl(given: string | undefined): Promise<string> {
  const url = (given ?? process.env.SHARED_CONTEXT_URL ?? (await readProfile())?.url ?? DEFAULT_URL).replace(/\/+$/, '')
  if (!isAddress(url))
    throw new UsageError(
      `${given === undefined ? 'SHARED_CONTEXT_URL' : '--url'} must be the address of the server, ` +
        'such as http://127.0.0.1:23456, without a user or a query.'
    )
  return url.replace(/\/mcp$/, '')
}

/** Whether an address is this machine's own. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
