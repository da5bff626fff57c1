import type { SharedContext } from './client.js'
import { asyncDispose } from './dispose.js'
import { LeaseLostError } from './generated/errors.js'
import type { Task, TaskLease, UpdateTaskInput } from './generated/tools.js'
import { fitting, wordsOf } from './fitting.js'
import { type FollowOptions, persistently, untilAborted } from './follow.js'
import type { CallOptions } from './options.js'
import { RefusedError } from './refused-error.js'
import { lastsFrom, Renewal } from './renewal.js'

export interface WorkOptions extends Pick<FollowOptions, 'signal' | 'onFault'> {
  /** Seconds that one call waits for a task, 0 to 55. Default: 25. */
  waitSeconds?: number | undefined
  /** True: the loop ends when a wait has brought no task. Default: false, it waits again. */
  untilIdle?: boolean | undefined
}

const WAIT_SECONDS = 25
const UNSAID = 'The worker went on without saying how the task ended.'
const STOPPED = 'The worker was told to stop.'
/** The most characters of the reason why a task failed. */
const ERROR_MAX = 10_000
const SESSION_ID = /^session_[0-9a-f]{16}$/

/** A task that this program alone holds, until it says how the task ended or the hold is lost. */
export class ClaimedTask {
  /** The task as it was claimed. */
  readonly task: Task
  /** Proves the hold. Pass it along with what the task writes elsewhere: it grows with every claim. */
  readonly leaseToken: number
  private readonly renewal: Renewal
  private isOver = false

  constructor(
    private readonly client: SharedContext,
    task: Task,
    lease: TaskLease,
    began: number,
    signal?: AbortSignal
  ) {
    this.task = task
    this.leaseToken = lease.token
    const renew = (more: CallOptions) => this.client.renewTask(this.hold, more)
    this.renewal = new Renewal(task.lease_seconds * 1000, began, renew, signal)
  }

  get title(): string {
    return this.task.title
  }

  get description(): string {
    return this.task.description
  }

  /** Aborts when somebody else may have the task, or when the loop is told to stop: stop the work. */
  get signal(): AbortSignal {
    return this.renewal.signal
  }

  /** Whether the task has been completed, failed or released here, or is lost. */
  get isDone(): boolean {
    return this.isOver
  }

  /** @param result any JSON value of at most 1 MiB @throws LeaseLostError if somebody else may have the task */
  complete(result?: unknown): Promise<Task> {
    return this.end(() => this.client.completeTask({ ...this.hold, result }))
  }

  /**
   * Says that the attempt has failed. Of a reason that is too long the service gets the beginning.
   * @param retry false: nobody shall try again
   * @throws LeaseLostError if somebody else may have the task
   */
  fail(why: unknown, { retry = true }: { retry?: boolean } = {}): Promise<Task> {
    const error = fitting(wordsOf(why), ERROR_MAX) || 'No reason was given.'
    return this.end(() => this.client.failTask({ ...this.hold, error, retry }))
  }

  /** Gives the task back. @param note what the next one must know @throws LeaseLostError */
  release(note: string): Promise<Task> {
    return this.end(() => this.client.releaseTask({ ...this.hold, note }))
  }

  /** Changes the task while it is held, such as its state `input_required`. @throws LeaseLostError */
  async update(patch: Omit<UpdateTaskInput, 'task_id' | 'lease_token'>): Promise<Task> {
    return (await this.client.updateTask({ ...patch, ...this.hold })).task
  }

  /** What nobody said anything about counts as a failed attempt; after a stop it is given back. */
  async leave(isStopped: boolean): Promise<void> {
    if (this.isOver) return
    try {
      await (isStopped ? this.release(STOPPED) : this.fail(UNSAID))
    } catch (error) {
      // Somebody else has it, or it goes back by itself.
      if (error instanceof RefusedError && !(error instanceof LeaseLostError)) throw error
    }
  }

  async [asyncDispose](): Promise<void> {
    await this.leave(this.signal.aborted)
  }

  private get hold(): { task_id: string; lease_token: number } {
    return { task_id: this.task.task_id, lease_token: this.leaseToken }
  }

  private async end(call: () => Promise<{ task: Task }>): Promise<Task> {
    const { task } = await call()
    this.isOver = true
    this.renewal.stop()
    return task
  }
}

/** Claims tasks one after the other: see `SharedContext.work`. */
export async function* work(
  client: SharedContext,
  where: string | undefined,
  options: WorkOptions
): AsyncGenerator<ClaimedTask, void> {
  yield* untilAborted(options.signal, tasks(client, where, options))
}

async function* tasks(
  client: SharedContext,
  where: string | undefined,
  { waitSeconds = WAIT_SECONDS, untilIdle = false, ...options }: WorkOptions
): AsyncGenerator<ClaimedTask, void> {
  const { signal } = options
  const session_id = where === undefined ? undefined : await sessionOf(client, where, options)
  for (;;) {
    signal?.throwIfAborted()
    const asked = performance.now()
    const { task, lease } = await persistently(
      () => client.claimTask({ session_id, wait_seconds: waitSeconds }, { signal }),
      options
    )
    if (task === null || lease === null) {
      if (untilIdle) return
      continue
    }
    const claimed = await heldTask(client, task, lease, asked, options)
    if (claimed === undefined) continue
    try {
      yield claimed
    } finally {
      await claimed.leave(signal?.aborted === true)
    }
  }
}

/** A task that was claimed just now; undefined if its answer came so late that somebody else may have it. */
async function heldTask(
  client: SharedContext,
  task: Task,
  lease: TaskLease,
  asked: number,
  options: WorkOptions
): Promise<ClaimedTask | undefined> {
  const { signal } = options
  const renew = (more: CallOptions) => client.renewTask({ task_id: task.task_id, lease_token: lease.token }, more)
  try {
    const began = await persistently(() => lastsFrom(task.lease_seconds * 1000, asked, renew, signal), options)
    return new ClaimedTask(client, task, lease, began, signal)
  } catch (error) {
    if (error instanceof RefusedError) return undefined
    // The loop was told to stop.
    await new ClaimedTask(client, task, lease, asked, signal).leave(true)
    throw error
  }
}

async function sessionOf(client: SharedContext, where: string, options: WorkOptions): Promise<string> {
  if (SESSION_ID.test(where)) return where
  const open = () => client.createSession({ key: where, purpose: where }, { signal: options.signal })
  return (await persistently(open, options)).session_id
}
