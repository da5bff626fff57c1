import type { Test } from 'tap'
import { SharedContext } from '../../../clients/typescript/src/index.js'
import { API_KEY } from '../../helper.js'
import { type Fault, startRelay } from './relay.js'

/** What gateways answer while there is nobody behind them. */
export const html: Fault = {
  kind: 'answer',
  status: 502,
  body: '<h1>Bad gateway</h1>',
  headers: { 'content-type': 'text/html' }
}

/** Makes clients of a service, each behind a relay of its own. */
export function connectedTo(t: Test, url: string) {
  return async (more: ConstructorParameters<typeof SharedContext>[0] = {}) => {
    const relay = await startRelay(t, url)
    const client = new SharedContext({ url: relay.url, apiKey: API_KEY, agentId: 'ada', agentType: 'tester', ...more })
    return { relay, client, paths: () => relay.seen.map(({ path }) => path.replace('/mcp/tool/', '')) }
  }
}
