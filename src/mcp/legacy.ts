import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { type JSONRPCRequest, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import { agentIdFrom } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { mcpTopic } from '../kernel/events.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import type { HeldSession, LookUp } from '../agents/store/mcp-sessions.js'
import { callerOf } from '../http/caller.js'
import { eventFrame } from '../http/event-frames.js'
import { EventStream } from '../http/event-stream.js'
import { sendFailure } from '../http/failures.js'
import { endWith, sendAnswer } from './answers.js'
import { createAskedCalls } from './asked-calls.js'
import { createCancellations } from './cancellations.js'
import { canAsk } from './confirmation.js'
import { byHeaders, refusedHeaders, type Senders } from './credentials.js'
import { INVALID_PARAMS, mcpSessionNotFound } from './failure.js'
import {
  acceptsEvents,
  calledTool,
  type Message,
  progressOf,
  progressTokenOf,
  SESSION_HEADER,
  sessionIdOf
} from './messages.js'
import type { Methods } from './methods.js'
import { createQuestions } from './questions.js'
import { type Answer, Exchanges, serverOptions } from './sdk.js'
import type { Streams } from './subscriptions/streams.js'

interface Means {
  lookUp: LookUp
  /** Bounds the streams that are open. */
  streams: Streams
}

/**
 * 2025-era clients, 2024-11-05 to 2025-11-25, which open a connection by `initialize`. What a connection has is in its
 * row in the database, so that any replica answers any request.
 */
export async function serveLegacy(
  methods: Methods,
  { lookUp, streams }: Means,
  senders: Senders,
  app: FastifyInstance
) {
  const { db } = app.database
  const ask = await createServer(methods, app)
  const cancellations = createCancellations(lookUp, app)
  const questions = createQuestions(lookUp, app)
  const askFirst = createAskedCalls({ ask, cancellations, questions, streams }, app)

  /** Answers a POST. */
  async function answer(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<FastifyReply> {
    const messages = (Array.isArray(request.body) ? request.body : [request.body]) as Message[]
    const opening = messages.some(({ method }) => method === 'initialize')
    const id = opening ? undefined : sessionIdOf(request)
    if (id !== undefined) {
      const session = await senders.sessionOf(request, id)
      if (session === undefined) return sendFailure(reply, mcpSessionNotFound())
      caller.credentials.mcp_session = session
      caller.credentials.client_name = session.client_name ?? undefined
    }
    const wrong = opening ? refuseInBatch(request.body) : refuseVersion(request)
    if (wrong !== undefined) return sendFailure(reply, wrong)
    if (opening) caller.credentials.client_name = clientNameIn(messages[0] as Message)
    const refused = await refusedHeaders(messages, caller, app)
    if (refused !== undefined) return sendFailure(reply, refused)
    // It leaves a row, whoever sends it.
    if (opening) await app.limits.initialize(caller.identified?.agent ?? null, caller.address, caller.onRateLimit)

    const { id_hash } = caller.credentials.mcp_session ?? {}
    if (id_hash !== undefined)
      for (const message of messages) {
        if (isCancellation(message)) await cancellations.cancel(id_hash, message.params?.requestId)
        else if (message.method === undefined) await questions.receive(id_hash, message)
      }
    const requests = messages.filter(isRequest)
    // The HTTP request has counted as one.
    if (requests.length > 1) await app.limits.request(caller.address, caller.onRateLimit, requests.length - 1)
    if (requests.length === 1 && !Array.isArray(request.body))
      return answerOne(request, reply, requests[0] as Message, caller)

    // One after the other: a batch is one request, and must not take every connection of the pool.
    const answers: Answer[] = []
    for (const message of requests) answers.push(await ask(message as JSONRPCRequest, caller))
    return answers.length === 0 ? reply.code(202).send() : sendAnswer(reply, answers)
  }

  async function answerOne(
    request: FastifyRequest,
    reply: FastifyReply,
    message: Message,
    caller: Caller
  ): Promise<FastifyReply> {
    const session = caller.credentials.mcp_session as HeldSession | undefined
    const question =
      session?.asks === true && acceptsEvents(request)
        ? methods.question(message.method ?? '', message.params)
        : undefined
    if (session !== undefined && question !== undefined) return askFirst(reply, message, { session, question, caller })
    // Only a call that waits is worth the trouble of being cancelled and of telling its progress.
    if (app.kernel.find(calledTool(message) ?? '')?.tool.waits_ms !== undefined)
      return answerWaiting(request, reply, message, session, caller)
    const answer = await ask(message as JSONRPCRequest, caller)
    if (message.method === 'initialize') await open(reply, message, answer, caller)
    return sendAnswer(reply, answer)
  }

  /**
   * Answers with JSON, or with an event stream if the client asked to be told of progress and there is some to tell.
   */
  async function answerWaiting(
    request: FastifyRequest,
    reply: FastifyReply,
    message: Message,
    session: HeldSession | undefined,
    caller: Caller
  ): Promise<FastifyReply> {
    let stream: EventStream<'answered'> | undefined
    const token = acceptsEvents(request) ? progressTokenOf(message) : undefined
    const tell = (elapsed: number, total: number) => {
      if (token === undefined || reply.raw.destroyed) return
      stream ??= new EventStream(reply)
      // A client that does not read gets only the answer.
      if (stream.ready() === undefined) void stream.send(eventFrame('message', progressOf(token, elapsed, total)))
    }
    const call = session && cancellations.begin(message.id, session, caller)
    try {
      const disconnected = call?.disconnected ?? caller.disconnected
      const progress = token === undefined ? undefined : tell
      const answer = await ask(message as JSONRPCRequest, { ...caller, disconnected, progress })
      // The protocol wants no answer to what was cancelled, but HTTP wants one.
      const cancelled = call?.cancelled() === true
      if (stream === undefined) return cancelled ? await reply.code(202).send() : sendAnswer(reply, answer)
      void endWith(stream, cancelled ? undefined : answer)
      return reply
    } finally {
      call?.end()
    }
  }

  async function open(reply: FastifyReply, { params }: Message, { result }: Answer, caller: Caller): Promise<void> {
    if (result === undefined) return
    const { credentials, identified } = caller
    const version = result.protocolVersion as string
    const { client_name = null } = credentials
    const id = await mcpSessions.open(db, version, client_name, identified?.agent ?? null, canAsk(params?.capabilities))
    void reply.header(SESSION_HEADER, id)
  }

  /** Ends the MCP session that a DELETE names. */
  async function close(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const id = sessionIdOf(request)
    if (id === undefined)
      return sendFailure(
        reply,
        new AppError('INVALID_INPUT', 'The Mcp-Session-Id header is missing.', {
          context: { argument: 'Mcp-Session-Id' },
          suggestions: ['Send the Mcp-Session-Id that initialize answered']
        })
      )
    const caller = callerOf(request, 'mcp')
    const refused = await refusedHeaders([], caller, app)
    if (refused !== undefined) return sendFailure(reply, refused)
    const session = await mcpSessions.find(db, id)
    if (session === undefined || !(await isOwn(id, session, caller)) || !(await mcpSessions.close(db, id)))
      return sendFailure(reply, mcpSessionNotFound())
    // Its streams end, on whichever replica they are.
    app.events.publish([mcpTopic(mcpSessions.hashId(id))])
    return reply.code(200).send()
  }

  /** Whether the caller opened an MCP session, or has authenticated in it. Its id alone proves what no header does. */
  async function isOwn(id: string, session: HeldSession, caller: Caller): Promise<boolean> {
    const { opener, identity, client_name } = session
    caller.credentials.client_name = client_name ?? undefined
    const agent = await byHeaders(caller, app)
    if (opener === null && (agent === null || identity === null)) return true
    if (agent === null) return false
    return (
      opener?.equals(mcpSessions.openerOf(id, agent)) === true ||
      (identity?.workspace === agent.workspace && identity.agent_id === agent.agent_id)
    )
  }

  return { answer, close }
}

/** The name of a 2025-era client, fit to be an agent's. */
function clientNameIn({ params }: Message): string | undefined {
  const { name } = (params?.clientInfo ?? {}) as { name?: unknown }
  return typeof name === 'string' ? agentIdFrom(name, '') || undefined : undefined
}

/** One SDK server for the life of the app. It keeps nothing of a client that any answer depends on. */
async function createServer(methods: Methods, { about: { name, version } }: FastifyInstance) {
  const server = new Server({ name, version }, serverOptions)
  const exchanges = new Exchanges()
  server.fallbackRequestHandler = ({ method, params }, { requestId }) =>
    methods.answer(method, params, exchanges.callerOf(requestId))
  await server.connect(exchanges)
  return async function ask(request: JSONRPCRequest, caller: Caller): Promise<Answer> {
    const answer = await exchanges.answer(request, caller)
    // The SDK's words for this are a dump of its schema's faults.
    if (request.method !== 'initialize' || answer.error === undefined) return answer
    const message = 'initialize needs protocolVersion, capabilities and clientInfo with name and version.'
    return { ...answer, error: { code: INVALID_PARAMS, message } }
  }
}

function refuseInBatch(body: unknown): AppError | undefined {
  if (!Array.isArray(body)) return undefined
  return new AppError('INVALID_INPUT', 'initialize is sent by itself, not in a batch.', {
    suggestions: ['Send initialize alone, then the rest']
  })
}

/** The error for an MCP-Protocol-Version that a 2025-era request may not have; undefined for a good one or none. */
export function refuseVersion({ headers }: FastifyRequest): AppError | undefined {
  const version = headers['mcp-protocol-version']
  if (version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) return undefined
  return new AppError('INVALID_INPUT', 'The protocol version of the MCP-Protocol-Version header is not spoken here.', {
    suggestions: [`Use one of ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}, or 2026-07-28`]
  })
}

function isCancellation({ method, id }: Message): boolean {
  return method === 'notifications/cancelled' && id === undefined
}

/** A request has an id. The rest, notifications and answers to questions, is only acknowledged. */
function isRequest({ method, id }: Message): boolean {
  return method !== undefined && id !== undefined
}
