import { request } from 'node:http'

/**
 * A client as the frameworks' users write them: a new connection for each call, no redirect followed, no cookies, the
 * HTTP status never looked at, the body always read as JSON.
 */
export interface Client {
  call: (tool: string, args?: unknown) => Promise<any>
  token: string
}

export async function post(
  url: string,
  tool: string,
  args: unknown = {},
  headers: Record<string, string> = {}
): Promise<any> {
  const body = JSON.stringify(args)
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/mcp/tool/${tool}`,
      {
        method: 'POST',
        agent: false,
        timeout: 30_000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
      },
      response => {
        let text = ''
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => {
            text += chunk
          })
          .on('end', () => {
            try {
              resolve(JSON.parse(text))
            } catch {
              reject(new Error(`Not JSON: ${text}`))
            }
          })
      }
    )
    sent.on('timeout', () => {
      sent.destroy(new Error('No answer within 30 s'))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Bears whatever token it was given, as such clients do. */
export function bearing(url: string, token: unknown): Client {
  return {
    token: String(token),
    call: (tool, args) => post(url, tool, args, { authorization: `Bearer ${String(token)}` })
  }
}

export async function authenticate(
  url: string,
  agent_id: string,
  agent_type: string,
  api_key: string,
  requested_permissions?: string[]
): Promise<Client & { answer: any }> {
  const answer = await post(url, 'authenticate_agent', {
    agent_id,
    agent_type,
    api_key,
    ...(requested_permissions !== undefined && { requested_permissions })
  })
  return { ...bearing(url, answer.token), answer }
}
