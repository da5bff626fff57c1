import { Server } from '@modelcontextprotocol/server'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import type { About } from '../kernel/about.js'
import { anySignal, type Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { agrees, ANSWER_MS, canAsk, capabilitiesIn, confirmationFor, declined, type Question } from './confirmation.js'
import { INTERNAL_ERROR } from './failure.js'
import { progressOf, progressTokenOf } from './messages.js'
import type { Methods } from './methods.js'
import { SKILLS_EXTENSION_ID } from './skills/catalogue.js'

/** What the server offers, in the words of both protocol eras. */
const capabilities = {
  tools: {},
  resources: { subscribe: true },
  prompts: {},
  extensions: { [SKILLS_EXTENSION_ID]: {} }
}

const instructions =
  "A workspace that AI agents share: sessions to meet in, messages with visibility, search, and memory of one's own. " +
  'Authenticate with authenticate_agent unless the connection already carries a key or token, then call ' +
  'get_usage_guidance to see what you may do.'

type Validate<T> = (
  input: unknown
) => { valid: true; data: T; errorMessage: undefined } | { valid: false; data: undefined; errorMessage: string }

/**
 * A validator that accepts everything. Without one, the SDKs build a JSON Schema compiler for each server, to validate
 * responses of clients to server requests. This server sends none, and the kernel checks tool arguments.
 */
const noValidator = {
  getValidator:
    <T>(): Validate<T> =>
    input => ({ valid: true, data: input as T, errorMessage: undefined })
}

/** The options of a server of either SDK. */
export const serverOptions = { capabilities, instructions, jsonSchemaValidator: noValidator }

/** What the SDK has taken out of a request of 2026-07-28. */
interface Beside {
  envelope?: Record<string, unknown>
  inputResponses?: Record<string, unknown>
}

type Context = Parameters<NonNullable<Server['fallbackRequestHandler']>>[1]

/**
 * An SDK server for one 2026-07-28 request, or for one stdio connection. Without a handler for `only`, the SDK refuses
 * that method itself.
 */
export function createServer(
  methods: Methods,
  { name, version }: Pick<About, 'name' | 'version'>,
  callerOf: (context: Context, server: Server) => Caller,
  only?: string
): Server {
  const server = new Server({ name, version }, serverOptions)
  if (only === undefined || methods.has(only)) {
    server.fallbackRequestHandler = async (request, context) => {
      const { method, params } = request
      const question = methods.question(method, params)
      const stopped = question && (await askUser(question, context, server))
      return stopped ?? (await methods.answer(method, params, during(context, request, callerOf(context, server))))
    }
  }
  return server
}

/**
 * Has a client ask its user. 2026-07-28 clients say what they can do with every request, and call again with what the
 * user said. Earlier ones on stdio say once what they can do, and answer the question.
 * @returns what the call is answered instead; undefined if it may go on
 */
async function askUser(question: Question, { mcpReq }: Context, server: Server) {
  const { envelope, inputResponses } = mcpReq as Beside
  if (envelope !== undefined)
    return canAsk(capabilitiesIn(envelope)) ? confirmationFor(question, inputResponses) : undefined
  if (!canAsk(server.getClientCapabilities())) return undefined
  const asked = { method: 'elicitation/create', params: { ...question } } as const
  const said = await mcpReq.send(asked, { timeout: ANSWER_MS }).catch(() => undefined)
  return agrees(said) ? undefined : declined(said)
}

/** The caller while a request is worked on: it can cancel the request, and can be told of its progress. */
function during({ mcpReq }: Context, { method, params }: { method: string; params?: unknown }, caller: Caller): Caller {
  const token = progressTokenOf({ method, params: { ...(params as object), _meta: mcpReq._meta } })
  return {
    ...caller,
    disconnected: () => anySignal(caller.disconnected?.(), mcpReq.signal),
    ...(token !== undefined &&
      caller.progress === undefined && {
        progress(elapsed: number, total: number) {
          const { method, params } = progressOf(token, elapsed, total)
          void mcpReq.notify({ method, params }).catch(() => {})
        }
      })
  }
}

export type Answer = JSONRPCMessage & { result?: Record<string, unknown>; error?: { code: number; message: string } }

/**
 * A transport that lets one SDK server answer all clients. Each request gets a unique id while the SDK works on it,
 * because different clients use the same ids.
 */
export class Exchanges implements Transport {
  onmessage?: (message: JSONRPCMessage) => void
  onclose?: () => void
  private readonly open = new Map<number, { caller: Caller; deliver: (message: Answer) => void }>()
  private last = 0
  private closed = false

  async start(): Promise<void> {}

  /** @throws AppError if the transport has been closed: nobody would ever answer */
  async answer(request: JSONRPCRequest, caller: Caller): Promise<Answer> {
    if (this.closed) throw new AppError('SERVICE_UNAVAILABLE', 'The service is stopping.')
    const id = ++this.last
    return new Promise(resolve => {
      this.open.set(id, {
        caller,
        deliver: message => {
          resolve({ ...message, id: request.id })
        }
      })
      this.onmessage?.({ ...request, id })
    })
  }

  callerOf(id: string | number): Caller {
    return (this.open.get(id as number) as { caller: Caller }).caller
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const id = 'id' in message ? (message.id as number) : 0
    const exchange = this.open.get(id)
    this.open.delete(id)
    exchange?.deliver(message)
  }

  /** Answers all open requests with an error, because the SDK answers nothing after this. */
  async close(): Promise<void> {
    this.closed = true
    const unanswered = [...this.open]
    this.open.clear()
    for (const [id, { deliver }] of unanswered)
      deliver({ jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: 'The service is stopping.' } })
    this.onclose?.()
  }
}
