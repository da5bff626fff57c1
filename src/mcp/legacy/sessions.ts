import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import { agentIdFrom } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { stringify } from '../../kernel/json-text.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { LookUp } from '../../agents/store/mcp-sessions.js'
import { sendFailure } from '../../http/failures.js'
import { SESSION_HEADER, sessionIdOf } from '../session-id.js'
import { createCancellations } from './cancellations.js'
import { type Message, refusedToken } from '../credentials.js'
import { eventFrame } from '../../http/event-frames.js'
import { EventStream } from '../../http/event-stream.js'
import type { Answer } from './exchanges.js'
import type { Legacy } from './legacy.js'
import type { Senders } from '../senders.js'
import { progressOf, progressTokenOf } from '../progress.js'

/** Serves a POST of a 2025-era client. What a connection has is in its row, so that any replica answers any request. */
export function serveSessions(legacy: Legacy, lookUp: LookUp, sessionOf: Senders['sessionOf'], app: FastifyInstance) {
  const { db } = app.database
  const cancellations = createCancellations(lookUp, app)

  return async function answer(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<FastifyReply> {
    const messages = (Array.isArray(request.body) ? request.body : [request.body]) as Message[]
    const opening = messages.some(({ method }) => method === 'initialize')
    const id = opening ? undefined : sessionIdOf(request)
    if (id !== undefined) {
      const session = await sessionOf(request, id)
      if (session === undefined) return sendFailure(reply, mcpSessionNotFound())
      caller.credentials.mcp_session = session
      caller.credentials.client_name = session.client_name ?? undefined
    }
    const wrong = malformed(request, opening)
    if (wrong !== undefined) return sendFailure(reply, wrong)
    // It leaves a row, whoever sends it.
    if (opening) await app.limits.initialize(caller.address, caller.onRateLimit)
    const refused = await refusedToken(messages, caller, app)
    if (refused !== undefined) return sendFailure(reply, refused)

    const { id_hash } = caller.credentials.mcp_session ?? {}
    if (id_hash !== undefined)
      for (const message of messages.filter(isCancellation))
        await cancellations.cancel(id_hash, message.params?.requestId)
    const requests = messages.filter(isRequest)
    // The HTTP request has counted as one.
    if (requests.length > 1) await app.limits.request(caller.address, caller.onRateLimit, requests.length - 1)
    if (requests.length === 1 && !Array.isArray(request.body))
      return answerOne(request, reply, requests[0] as Message, caller)

    // One after the other: a batch is one request, and must not take every connection of the pool.
    const answers: Answer[] = []
    for (const message of requests) answers.push(await legacy.answer(message as never, caller))
    return answers.length === 0 ? reply.code(202).send() : sendJson(reply, answers)
  }

  /** The answer as JSON; as an event stream where the client asked to be told of progress and there is some to tell. */
  async function answerOne(
    request: FastifyRequest,
    reply: FastifyReply,
    message: Message,
    caller: Caller
  ): Promise<FastifyReply> {
    let stream: EventStream<'answered'> | undefined
    const token = progressTokenOf(message)
    const progress =
      token === undefined || !acceptsEvents(request)
        ? undefined
        : (elapsed: number, total: number) => {
            if (reply.raw.destroyed) return
            stream ??= new EventStream(reply)
            // A client that does not read gets only the answer.
            if (stream.ready() === undefined) void stream.send(eventFrame('message', progressOf(token, elapsed, total)))
          }
    const call = cancellations.begin(message, caller)
    try {
      const answer = await legacy.answer(message as never, { ...caller, disconnected: call.disconnected, progress })
      if (stream !== undefined) {
        void sendLast(stream, call.cancelled() ? '' : eventFrame('message', answer))
        return reply
      }
      // The protocol wants no answer to what was cancelled, and HTTP wants one.
      if (call.cancelled()) return await reply.code(202).send()
      if (message.method === 'initialize') await open(reply, message, answer)
      return sendJson(reply, answer)
    } finally {
      call.end()
    }
  }

  async function open(reply: FastifyReply, { params }: Message, { result }: Answer): Promise<void> {
    if (result === undefined) return
    const { name } = (params?.clientInfo ?? {}) as { name?: unknown }
    const client_name = typeof name === 'string' ? agentIdFrom(name, '') : ''
    void reply.header(
      SESSION_HEADER,
      await mcpSessions.open(db, result.protocolVersion as string, client_name === '' ? null : client_name)
    )
  }

  function malformed(request: FastifyRequest, opening: boolean): AppError | undefined {
    if (opening && Array.isArray(request.body))
      return badRequest('initialize is sent by itself, not in a batch.', ['Send initialize alone, then the rest'])
    return opening ? undefined : unspokenVersion(request, legacy.versions)
  }
}

/** The client has as long for reading the answer as for anything. */
async function sendLast(stream: EventStream<'answered'>, frame: string): Promise<void> {
  if (frame !== '') await stream.send(frame)
  stream.end('answered')
}

export function sendJson(reply: FastifyReply, answer: Answer | Answer[]): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(stringify(answer))
}

export function unspokenVersion(request: FastifyRequest, versions: readonly string[]): AppError | undefined {
  const version = request.headers['mcp-protocol-version']
  if (version === undefined || versions.includes(String(version))) return undefined
  return badRequest('The protocol version of the MCP-Protocol-Version header is not spoken here.', [
    `Use one of ${versions.join(', ')}, or 2026-07-28`
  ])
}

export function acceptsEvents(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/event-stream') === true
}

function isCancellation({ method, id }: Message): boolean {
  return method === 'notifications/cancelled' && id === undefined
}

/** A request has an id; notifications and answers to questions (we ask none) are acknowledged and no more. */
function isRequest({ method, id }: Message): boolean {
  return method !== undefined && id !== undefined
}

export function mcpSessionNotFound(): AppError {
  return new AppError('SESSION_NOT_FOUND', 'There is no MCP session of that Mcp-Session-Id; it has ended.', {
    suggestions: ['Send initialize without an Mcp-Session-Id, then repeat the request with the new one']
  })
}

function badRequest(message: string, suggestions: string[]): AppError {
  return new AppError('INVALID_INPUT', message, { suggestions })
}
