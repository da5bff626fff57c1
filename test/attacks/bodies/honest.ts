import { Agent, request } from 'node:http'
import { API_KEY } from '../../helper.js'

/** Somebody who uses the server as it is meant to be used, with a key and without, beside an attack. */

export interface Report {
  calls: number
  /** What went wrong, by status or error code. */
  errors: Record<string, number>
  p99_ms: number
}

const PAUSE_MS = 20

/** Calls one after the other until told to stop. */
export function workHonestly(port: number, session_id: string): { stop: () => Promise<Report> } {
  const agent = new Agent({ keepAlive: true })
  const errors: Record<string, number> = {}
  const took: number[] = []
  let over = false
  const known = { 'x-api-key': API_KEY, 'x-agent-id': 'honest' }
  const calls: Array<[path: string, headers: Record<string, string>, args: unknown]> = [
    ['/mcp/tool/add_message', known, { session_id, content: 'an ordinary message' }],
    ['/mcp/tool/get_messages', known, { session_id, limit: 5 }],
    ['/mcp/tool/add_message', known, { session_id, content: 'a long message '.repeat(2000) }],
    [
      '/mcp',
      known,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_usage_guidance', arguments: {} } }
    ],
    ['/mcp/tool/authenticate_agent', {}, { agent_id: 'newcomer', agent_type: 'honest', api_key: API_KEY }]
  ]

  async function send([path, headers, args]: (typeof calls)[number]): Promise<string> {
    const body = JSON.stringify(args)
    return new Promise(resolve => {
      const sent = request(
        {
          agent,
          host: '127.0.0.1',
          port,
          path,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'content-length': Buffer.byteLength(body),
            ...headers
          }
        },
        response => {
          response.resume().on('end', () => {
            resolve(String(response.statusCode))
          })
        }
      )
      sent.on('error', error => {
        resolve((error as NodeJS.ErrnoException).code ?? error.message)
      })
      sent.setTimeout(10_000, () => {
        sent.destroy(new Error('no answer'))
      })
      sent.end(body)
    })
  }

  const working = (async () => {
    for (let n = 0; !over; n++) {
      const began = performance.now()
      const outcome = await send(calls[n % calls.length] as (typeof calls)[number])
      took.push(performance.now() - began)
      if (outcome !== '200') errors[outcome] = (errors[outcome] ?? 0) + 1
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
  })()

  return {
    async stop() {
      over = true
      await working
      agent.destroy()
      took.sort((a, b) => a - b)
      return { calls: took.length, errors, p99_ms: took[Math.floor(took.length * 0.99)] ?? 0 }
    }
  }
}
