import type { FastifyInstance, FastifyReply } from 'fastify'
import type { JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import type { Agent } from '../kernel/agent.js'
import { mayCall } from '../kernel/authorize.js'
import { anySignal, type Caller } from '../kernel/caller.js'
import type { HeldSession } from '../agents/store/mcp-sessions.js'
import { eventFrame } from '../http/event-frames.js'
import { EventStream } from '../http/event-stream.js'
import { endWith, sendAnswer } from './answers.js'
import type { createCancellations } from './cancellations.js'
import { ANSWER_MS, declined, type Question } from './confirmation.js'
import { calledTool, type Message } from './messages.js'
import { withToken } from './methods.js'
import type { Questions } from './questions.js'
import type { Answer } from './sdk.js'
import type { Streams } from './subscriptions/streams.js'
import { AUTH_TOKEN } from './tool-list.js'

interface Means {
  ask: (request: JSONRPCRequest, caller: Caller) => Promise<Answer>
  cancellations: ReturnType<typeof createCancellations>
  questions: Questions
  streams: Streams
}

export interface Asked {
  session: HeldSession
  question: Question
  caller: Caller
}

/** Calls of 2025-era clients before which the user must have agreed: the question goes before the answer. */
export function createAskedCalls({ ask, cancellations, questions, streams }: Means, app: FastifyInstance) {
  return async function answer(reply: FastifyReply, message: Message, asked: Asked): Promise<FastifyReply> {
    const { session, question, caller } = asked
    const agent = await whoMay(message, caller, app)
    // The call itself says why it is refused. No user is asked for that.
    if (agent === undefined) return sendAnswer(reply, await ask(message as JSONRPCRequest, caller))
    const leave = streams.take(agent)
    const reacquireSlot = caller.releaseSlot?.()
    const stream = new EventStream<'answered'>(reply)
    const call = cancellations.begin(message.id, session, caller)
    try {
      const said = await questions.ask(session.id_hash, question, {
        send: sent => void stream.send(eventFrame('message', sent)),
        over: anySignal(call.disconnected?.(), app.stopping),
        timeout_ms: ANSWER_MS
      })
      reacquireSlot?.()
      const last =
        said?.agreed === true
          ? await ask(message as JSONRPCRequest, { ...caller, disconnected: call.disconnected })
          : { jsonrpc: '2.0', id: message.id, result: declined(said) }
      void endWith(stream, call.cancelled() ? undefined : last)
      return reply
    } finally {
      call.end()
      leave()
    }
  }
}

/** The agent that calls, if it may. */
async function whoMay(message: Message, caller: Caller, app: FastifyInstance): Promise<Agent | undefined> {
  const tool = app.kernel.find(calledTool(message) ?? '')?.tool
  const { [AUTH_TOKEN]: token } = Object(message.params?.arguments) as Record<string, unknown>
  const agent = await app.identify(withToken(caller, token)).catch(() => null)
  return agent !== null && tool !== undefined && tool.permission !== 'none' && mayCall(agent, tool.permission)
    ? agent
    : undefined
}
