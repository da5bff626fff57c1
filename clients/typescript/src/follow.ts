import type { SharedContext } from './client.js'
import type { Message, WaitForMessagesOutput } from './generated/tools.js'
import { pause } from './pause.js'
import { backoff, mayPass } from './retry.js'

export interface FollowOptions {
  /** Begin after this number; 0: with the first message. Left out: from now on. */
  afterSeq?: number | undefined
  /** Only messages that mention the agent by @. */
  mentionsOnly?: boolean | undefined
  /** Only messages of this agent. */
  sender?: string | undefined
  /** Seconds that one call waits, 0 to 60. Default: 25. */
  waitSeconds?: number | undefined
  /** Ends the loop, without an error. */
  signal?: AbortSignal | undefined
  /** Told when the service cannot be reached, before the next try, and with undefined once it is back. */
  onFault?: ((error: unknown) => void) | undefined
}

const WAIT_SECONDS = 25
const PAGE = 100

/** The messages of a session as they come: `for await (const message of client.follow(session_id))`. */
export class Follower implements AsyncIterable<Message> {
  private cursor: number | undefined

  constructor(
    private readonly client: SharedContext,
    readonly sessionId: string,
    private readonly options: FollowOptions
  ) {
    this.cursor = options.afterSeq
  }

  /**
   * How far the loop has come: pass it as `afterSeq` to go on later. It moves once all messages of an answer have been
   * handled; undefined before the first answer.
   */
  get lastSeq(): number | undefined {
    return this.cursor
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    const { mentionsOnly, sender, waitSeconds = WAIT_SECONDS, signal, onFault } = this.options
    yield* untilAborted(signal, this.messages({ mentionsOnly, sender, waitSeconds, signal, onFault }))
  }

  private async *messages({
    mentionsOnly,
    sender,
    waitSeconds,
    signal,
    onFault
  }: FollowOptions & { waitSeconds: number }): AsyncGenerator<Message, void> {
    for (;;) {
      const page: WaitForMessagesOutput = await persistently(
        () =>
          this.client.waitForMessages(
            {
              session_id: this.sessionId,
              after_seq: this.cursor,
              limit: PAGE,
              timeout_seconds: waitSeconds,
              sender,
              mentions_only: mentionsOnly
            },
            { signal }
          ),
        { signal, onFault }
      )
      yield* page.messages
      this.cursor = page.last_seq
      if (!page.is_active && !page.has_more) return
    }
  }
}

/** Does something until it succeeds or fails for good. @throws what it failed with, or the signal's reason */
export async function persistently<T>(
  attempt: () => Promise<T>,
  { signal, onFault }: Pick<FollowOptions, 'signal' | 'onFault'>
): Promise<T> {
  for (let failures = 0; ;) {
    try {
      const result = await attempt()
      if (failures > 0) onFault?.(undefined)
      return result
    } catch (error) {
      if (!mayPass(error)) throw error
      failures++
      onFault?.(error)
      await pause(backoff(failures, error), signal)
    }
  }
}

/** What a loop gives until the signal ends it: then it is over, which is no error. */
export async function* untilAborted<T>(
  signal: AbortSignal | undefined,
  loop: AsyncGenerator<T, void>
): AsyncGenerator<T, void> {
  try {
    yield* loop
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) throw error
  }
}
