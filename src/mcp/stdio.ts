import { randomUUID } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server'
import { AGENT_TYPE_MAX, agentIdFrom } from '../core/agent.js'
import type { Kernel } from '../core/call.js'
import { createMethods } from './methods.js'
import { createServer } from './modern.js'

export interface Local {
  /** Undefined: named after the client. */
  agent_id: string | undefined
  agent_type: string | undefined
  stdin: Readable
  stdout: Writable
}

/** Serves one local client, of either era, until its input ends or `close` is called. */
export function serveLocal (kernel: Kernel, { agent_id, agent_type = 'mcp', stdin, stdout }: Local): { close: () => Promise<void> } {
  const methods = createMethods(kernel)
  const type = [...agent_type].slice(0, AGENT_TYPE_MAX).join('')
  return serveStdio(() => createServer(methods, kernel.service, ({ mcpReq }, server) => {
    // 2026-07-28 clients say who they are with every request, earlier ones once.
    const envelope = mcpReq.envelope as Record<string, { name?: string } | undefined> | undefined
    const client_name = envelope?.[CLIENT_INFO_META_KEY]?.name ?? server.getClientVersion()?.name
    const local = { agent_id: agentIdFrom(agent_id ?? client_name, 'mcp-client'), agent_type: type }
    return { front: 'mcp', request_id: randomUUID(), address: 'stdio', credentials: { client_name, local } }
  }), {
    transport: new StdioServerTransport(stdin, stdout, { maxBufferSize: MESSAGE_MAX }),
    onerror: error => { kernel.log.info({ err: kernel.store.loggable(error) }, 'mcp message refused') }
  })
}

/** Bytes of one message: the largest value there is, and room for how JSON writes it. */
const MESSAGE_MAX = 64 * 1024 * 1024
