import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import type { Caller } from '../core/caller.js'

export type Answer = JSONRPCMessage & { result?: Record<string, unknown>, error?: { code: number, message: string } }

/**
 * A transport in which every request of every client is an exchange of its own, under a number of ours while the SDK works
 * on it: clients choose their ids freely and choose the same ones.
 */
export class Exchanges implements Transport {
  onmessage?: (message: JSONRPCMessage) => void
  onclose?: () => void
  private readonly open = new Map<number, { caller: Caller, deliver: (message: Answer) => void }>()
  private last = 0

  async start (): Promise<void> {}

  answer (request: JSONRPCRequest, caller: Caller): Promise<Answer> {
    const id = ++this.last
    return new Promise(resolve => {
      this.open.set(id, { caller, deliver: message => { resolve({ ...message, id: request.id } as Answer) } })
      this.onmessage?.({ ...request, id })
    })
  }

  callerOf (id: string | number): Caller {
    return (this.open.get(id as number) as { caller: Caller }).caller
  }

  async send (message: JSONRPCMessage): Promise<void> {
    const id = 'id' in message ? message.id as number : 0
    const exchange = this.open.get(id)
    this.open.delete(id)
    exchange?.deliver(message as Answer)
  }

  async close (): Promise<void> {
    this.onclose?.()
  }
}
