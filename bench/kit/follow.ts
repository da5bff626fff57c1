import { once } from 'node:events'
import { type ClientRequest, get as httpGet, type IncomingMessage } from 'node:http'

/** Follows an event stream, and throws away what it tells. @returns what ends it when it is destroyed */
export async function follow(port: number, path: string, token: string, onData: () => void): Promise<ClientRequest> {
  const request = httpGet({
    host: '127.0.0.1',
    port,
    path,
    headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` }
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}.`)
  response.on('data', onData)
  // It ends with the round.
  response.on('error', () => {})
  return request
}
