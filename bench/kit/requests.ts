import { createCorpus, DEFAULT_SEED } from '../search/corpus.js'
import type { Sender } from './load.js'
import type { Service } from './service.js'

/** A text that every success contains, over REST and MCP. */
export const SUCCESS = '"success":true'

export const CONNECTIONS = 64
/** Different requests of one connection. */
const VARIED = 50

export interface Content {
  content: string
  metadata: Record<string, unknown>
}

/** Messages of the search benchmark's corpus, so that indexing them costs what it costs in use. */
export function contents(count: number): Content[] {
  return [...createCorpus(DEFAULT_SEED, 'dev').messages('load', count)].map(({ content, metadata }) => ({
    content,
    metadata
  }))
}

function http(method: string, path: string, headers: Record<string, string>, body?: string): string {
  const lines = Object.entries({
    Host: '127.0.0.1',
    ...headers,
    ...(body !== undefined && { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) })
  })
  return (
    `${method} ${path} HTTP/1.1\r\n` +
    `${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body ?? ''}`
  )
}

export function get(path: string, token?: string): string {
  return http('GET', path, bearer(token))
}

export function post(path: string, body: unknown, token?: string): string {
  return http('POST', path, { Accept: 'application/json', ...bearer(token) }, JSON.stringify(body))
}

/** The request of a tool call over REST. */
export function rest(tool: string, args: unknown, token: string): string {
  return post(`/mcp/tool/${tool}`, args, token)
}

const ACCEPT = { Accept: 'application/json, text/event-stream' }

/** The request of a tool call by a 2025-era client in its MCP session. */
export function mcp2025(tool: string, args: unknown, token: string, mcp_session: string, id: number): string {
  const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } }
  return http(
    'POST',
    '/mcp',
    { ...ACCEPT, 'Mcp-Session-Id': mcp_session, 'Mcp-Protocol-Version': '2025-11-25', ...bearer(token) },
    JSON.stringify(message)
  )
}

/** Opens an MCP session. @returns its id */
export async function openMcpSession(service: Service, token: string): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const response = await fetch(`${service.url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: ACCEPT.Accept, ...bearer(token) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  })
  const id = response.headers.get('mcp-session-id')
  if (id === null) throw new Error(`initialize: ${await response.text()}`)
  await response.arrayBuffer()
  return id
}

/** The request of a tool call by a 2026-07-28 client, which repeats its capabilities in each. */
export function mcp2026(tool: string, args: unknown, token: string, id: number): string {
  const version = '2026-07-28'
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' }
  }
  const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args, _meta } }
  return http(
    'POST',
    '/mcp',
    { ...ACCEPT, 'Mcp-Protocol-Version': version, 'Mcp-Method': 'tools/call', 'Mcp-Name': tool, ...bearer(token) },
    JSON.stringify(message)
  )
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` }
}

/** Makes one sender for each connection. @param make the nth request of a connection */
export function senders(
  port: number | ((connection: number) => number),
  make: (connection: number, n: number) => string,
  connections = CONNECTIONS,
  varied = VARIED
): Sender[] {
  return Array.from({ length: connections }, (_, connection) => ({
    port: typeof port === 'number' ? port : port(connection),
    requests: Array.from({ length: varied }, (_, n) => make(connection, n))
  }))
}

/** Senders of add_message over REST. The connections share out the tokens and the sessions. */
export function addMessages(
  port: number | ((connection: number) => number),
  tokens: string[],
  sessions: string[],
  connections = CONNECTIONS
): Sender[] {
  const said = contents(connections * VARIED)
  return senders(
    port,
    (connection, n) =>
      rest(
        'add_message',
        {
          session_id: sessions[connection % sessions.length],
          ...said[connection * VARIED + n]
        },
        tokens[connection % tokens.length] as string
      ),
    connections
  )
}

/** The same over MCP, for 2025-era clients, each with an MCP session. */
export function addMessages2025(port: number, tokens: string[], sessions: string[], mcpSessions: string[]): Sender[] {
  const said = contents(CONNECTIONS * VARIED)
  return senders(port, (connection, n) =>
    mcp2025(
      'add_message',
      {
        session_id: sessions[connection % sessions.length],
        ...said[connection * VARIED + n]
      },
      tokens[connection % tokens.length] as string,
      mcpSessions[connection % mcpSessions.length] as string,
      n + 1
    )
  )
}

/** The same over MCP, for 2026-07-28 clients. */
export function addMessages2026(port: number, tokens: string[], sessions: string[]): Sender[] {
  const said = contents(CONNECTIONS * VARIED)
  return senders(port, (connection, n) =>
    mcp2026(
      'add_message',
      {
        session_id: sessions[connection % sessions.length],
        ...said[connection * VARIED + n]
      },
      tokens[connection % tokens.length] as string,
      n + 1
    )
  )
}
