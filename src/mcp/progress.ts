import type { Message } from './credentials.js'

export type ProgressToken = string | number

/** What a client names its request by, where it asks to be told how a call is getting on. */
export function progressTokenOf({ method, params }: Message): ProgressToken | undefined {
  const token = (params?._meta as { progressToken?: unknown } | null | undefined)?.progressToken
  return method === 'tools/call' && (typeof token === 'string' || typeof token === 'number') ? token : undefined
}

/** Seconds of waiting, out of so many. */
export function progressOf(progressToken: ProgressToken, elapsed: number, total: number) {
  return {
    jsonrpc: '2.0' as const,
    method: 'notifications/progress' as const,
    params: {
      progressToken,
      progress: elapsed,
      total,
      message: `Waiting: ${Math.round(elapsed)} of ${Math.round(total)} s`
    }
  }
}
