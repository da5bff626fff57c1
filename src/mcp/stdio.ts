import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLIENT_INFO_META_KEY, type JSONRPCMessage } from '@modelcontextprotocol/server'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { ToolsetName } from '../config/toolset-names.js'
import { AGENT_TYPE_MAX, agentIdFrom } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { createLocalSubscriptions, lookAtListening } from './subscriptions/local-subscriptions.js'
import { lineOf } from './answers.js'
import { clientNameOf } from './messages.js'
import { ExactNumbers } from './exact-numbers.js'
import { createMethods, type Methods } from './methods.js'
import { createServer } from './sdk.js'

export interface Local {
  /** Undefined: named after the client. */
  agent_id: string | undefined
  agent_type: string | undefined
  /** Whether the list of tools has the schemas of answers. */
  output_schemas?: boolean
  /** Which parts of the list of tools it gets; undefined: the ordinary ones. */
  toolsets?: readonly ToolsetName[]
  stdin: Readable
  stdout: Writable
}

/** Bytes of one message: the largest value there is, and room for how JSON writes it. */
const MESSAGE_MAX = 64 * 1024 * 1024

/** Writes each message as one line, also for clients that split lines at U+2028, U+2029 and U+0085. */
class Wire extends StdioServerTransport {
  constructor(
    input: Readable,
    private readonly output: Writable
  ) {
    super(input, output, { maxBufferSize: MESSAGE_MAX })
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    if (!this.output.write(`${lineOf(message)}\n`)) await once(this.output, 'drain')
  }
}

/** Serves one local client, of either era. `ended` is when its input has ended and all that came by it is answered. */
export function serveLocal(
  app: FastifyInstance,
  { agent_id, agent_type = 'mcp', output_schemas = false, toolsets, stdin, stdout }: Local
): { ended: Promise<void>; close: () => Promise<void> } {
  const type = [...agent_type].slice(0, AGENT_TYPE_MAX).join('')
  // The SDK gives up what it is working on when its input ends, so the end is kept from it until that is done.
  const input = new PassThrough()
  stdin.pipe(new ExactNumbers(MESSAGE_MAX)).pipe(input, { end: false })
  const wire = new Wire(input, stdout)
  const subscriptions = createLocalSubscriptions(app, stdout, message => {
    void wire.send(message).catch(() => {})
  })
  const { counted, idle } = counter()
  const methods = {
    modern: counted(createMethods(app)),
    legacy: counted(createMethods(app, subscriptions.methods))
  }
  const ended = Promise.race(['end', 'close', 'error'].map(async event => once(stdin, event).catch(() => {}))).then(
    idle
  )

  function callerOf(client_name: string | undefined): Caller {
    const local = { agent_id: agentIdFrom(agent_id ?? client_name, 'mcp-client'), agent_type: type }
    return {
      front: 'mcp',
      request_id: randomUUID(),
      address: 'stdio',
      credentials: { client_name, local },
      output_schemas,
      toolsets
    }
  }

  const connection = serveStdio(
    ({ era }) => {
      const server = createServer(methods[era], app.about, ({ mcpReq }, server) => {
        // 2026-07-28 clients say who they are with every request, earlier ones once.
        const envelope = mcpReq.envelope as Record<string, { name?: string } | undefined> | undefined
        return callerOf(envelope?.[CLIENT_INFO_META_KEY]?.name ?? server.getClientVersion()?.name)
      })
      subscriptions.through(server)
      return server
    },
    {
      transport: lookAtListening(wire, subscriptions, message => callerOf(clientNameOf(message))),
      onerror: error => {
        app.log.info({ err: app.kernel.ports.loggableFault(error) }, 'mcp message refused')
      }
    }
  )
  return {
    ended,
    async close() {
      subscriptions.close()
      await connection.close()
    }
  }
}

/** Counts what is being worked on. */
function counter(): { counted: (methods: Methods) => Methods; idle: () => Promise<void> } {
  let open = 0
  return {
    counted: methods => ({
      ...methods,
      answer(name, params, caller) {
        open++
        return methods.answer(name, params, caller).finally(() => {
          open--
        })
      }
    }),
    async idle() {
      do await sleep(10)
      while (open > 0)
    }
  }
}
