import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { INTERNAL_ERROR } from '../failure.js'

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

  /** @throws where the transport has been closed: nobody would ever answer */
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
