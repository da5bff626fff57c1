import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Test } from 'tap'
import type { App } from '../../src/app.js'
import type { Answer } from '../helper.js'

/** MCP for tests: plain JSON-RPC in process, and the SDKs' own clients over sockets. */

export const MODERN = '2026-07-28'
export const VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', MODERN]

/** One POST to /mcp in process. */
export async function post(
  app: App,
  message: unknown,
  headers: Record<string, string> = {},
  url = '/mcp'
): Promise<Answer> {
  const response = await app.server.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    payload: typeof message === 'string' ? message : JSON.stringify(message)
  })
  return {
    status: response.statusCode,
    headers: response.headers,
    body: response.body === '' ? undefined : response.json()
  }
}

export type Headers = Record<string, string>

/** One request of a client of an era, in process. */
export async function request(
  app: App,
  era: 'legacy' | 'modern',
  method: string,
  params: Record<string, unknown> = {},
  headers: Headers = {},
  url?: string,
  send = async (message: unknown, headers: Headers) => post(app, message, headers, url)
): Promise<Answer> {
  if (era === 'legacy') return send({ jsonrpc: '2.0', id: 1, method, params }, headers)
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'a modern client', version: '1' }
  }
  const name = params.name ?? params.uri
  return send(
    { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
    {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      ...headers
    }
  )
}

/**
 * What a tool's call said: the structured content of a success; of a failure, which has none, the object in its text.
 */
export function saidBy({ structuredContent, content }: any): any {
  return structuredContent ?? JSON.parse(content[0].text)
}

/** A tool's call. @returns the tool result, and what it `said` */
export async function callTool(
  app: App,
  era: 'legacy' | 'modern',
  name: string,
  args: unknown,
  headers: Headers = {}
): Promise<any> {
  const { status, body } = await request(app, era, 'tools/call', { name, arguments: args }, headers)
  if (status !== 200 || body.result === undefined) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`)
  return { ...body.result, said: saidBy(body.result) }
}

/** Opens an MCP session. @returns the header that names it */
export async function openSession(app: App, clientName = 'a test client', headers: Headers = {}): Promise<Headers> {
  const { headers: answered } = await post(app, initialize(clientName), headers)
  return { 'mcp-session-id': String(answered['mcp-session-id']) }
}

export function initialize(name = 'a test client', protocolVersion = '2025-11-25') {
  return {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo: { name, version: '1.0.0' } }
  }
}

/** What the clients of both SDKs can do alike. */
export type AnyClient = Pick<
  LegacyClient,
  'listTools' | 'listResources' | 'listResourceTemplates' | 'readResource' | 'listPrompts' | 'getPrompt' | 'close'
> & {
  callTool: (call: { name: string; arguments?: Record<string, unknown> }) => Promise<any>
}

export interface Connected {
  client: AnyClient
  transport: LegacyTransport | ModernTransport
  errors: Error[]
}

/** The client of the 2025 SDK, connected. */
export async function connectLegacy(
  t: Test,
  url: string,
  headers: Headers = {},
  name = 'legacy-client'
): Promise<Connected & { transport: LegacyTransport }> {
  const client = new LegacyClient({ name, version: '1.0.0' })
  const transport = new LegacyTransport(new URL(url), { requestInit: { headers } })
  const errors = collect(client)
  await client.connect(transport)
  t.teardown(() => client.close())
  return { client: client, transport, errors }
}

/** The client of the 2026 SDK, connected at a version of either era. */
export async function connectModern(
  t: Test,
  url: string,
  headers: Headers = {},
  version = MODERN,
  name = 'modern-client'
): Promise<Connected & { transport: ModernTransport }> {
  const client = new ModernClient(
    { name, version: '1.0.0' },
    version === MODERN
      ? { versionNegotiation: { mode: { pin: version } } }
      : { supportedProtocolVersions: [version], versionNegotiation: { mode: 'legacy' } }
  )
  const transport = new ModernTransport(new URL(url), { requestInit: { headers } })
  const errors = collect(client)
  await client.connect(transport)
  t.teardown(() => client.close())
  return { client: client as unknown as AnyClient, transport, errors }
}

function collect(client: { onerror?: (error: Error) => void }): Error[] {
  const errors: Error[] = []
  client.onerror = error => {
    errors.push(error)
  }
  return errors
}

/**
 * Asks again until the answer is as wanted, for what reaches every replica within 2 s; gives the last answer in the
 * end.
 */
export async function eventually<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask()
    if (wanted(answer) || tries > 200) return answer
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
