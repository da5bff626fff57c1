import type { SharedContext } from './client.js'
import { asyncDispose } from './dispose.js'
import type { AcquireLeaseInput, AcquireLeaseOutput } from './generated/tools.js'
import type { CallOptions, ClientOptions } from './options.js'
import { RefusedError } from './refused-error.js'
import { lastsFrom, Renewal } from './renewal.js'
import { WaitForLease } from './wait-for-lease.js'

export interface LeaseOptions {
  /** Seconds that the names stay held if the program dies, 1 to 3600. Default: 60. */
  ttlSeconds?: number | undefined
  /** Seconds to wait for names that others hold, 0 to 55. Default: 0. */
  waitSeconds?: number | undefined
  /** What for: those who want a name see it. */
  purpose?: string | undefined
  /** Ends the waiting, and aborts the signal of the lease. */
  signal?: AbortSignal | undefined
}

const TTL_SECONDS = 60

/** A hold on names, which is renewed until it is released or lost. */
export class Lease {
  private isOver = false

  private constructor(
    private readonly client: SharedContext,
    private readonly held: AcquireLeaseOutput['leases'],
    private readonly renewal: Renewal
  ) {}

  static async acquire(
    client: SharedContext,
    names: string[],
    options: LeaseOptions,
    { tries, agentId }: { tries: number } & Pick<ClientOptions, 'agentId'>
  ): Promise<Lease> {
    const { ttlSeconds = TTL_SECONDS, waitSeconds = 0, purpose, signal } = options
    const self = () => client.identity?.agent_id ?? agentId
    const wait = new WaitForLease(ttlSeconds * 1000, waitSeconds * 1000, tries, self)
    for (let wait_seconds = waitSeconds; ; wait_seconds = wait.seconds) {
      try {
        return await Lease.once(client, { names, ttl_seconds: ttlSeconds, wait_seconds, purpose }, signal)
      } catch (error) {
        await wait.next(error, signal)
      }
    }
  }

  /** Asks once: a repeat that nobody knows of could meet the lease that the first try has got. */
  private static async once(
    client: SharedContext,
    input: AcquireLeaseInput & { ttl_seconds: number },
    signal: AbortSignal | undefined
  ): Promise<Lease> {
    const { ttl_seconds } = input
    const asked = performance.now()
    const { leases } = await client.acquireLease(input, { signal, tries: 1 })
    const named = leases.map(({ name, token }) => ({ name, token }))
    const renew = (more: CallOptions) => client.renewLease({ leases: named, ttl_seconds }, more)
    try {
      const began = await lastsFrom(ttl_seconds * 1000, asked, renew, signal)
      return new Lease(client, leases, new Renewal(ttl_seconds * 1000, began, renew, signal))
    } catch (error) {
      // Nobody else knows the token. Where the service cannot be told, the names become free by themselves.
      void client.releaseLease({ leases: named }, { tries: 1 }).catch(() => undefined)
      throw error
    }
  }

  /** Aborts when the lease is lost: stop what it protects. Its reason says why. */
  get signal(): AbortSignal {
    return this.renewal.signal
  }

  get names(): string[] {
    return this.held.map(({ name }) => name)
  }

  /**
   * The token of a name, the first one if none is given. Pass it along with what you write where the lease protects it:
   * it is larger than that of everybody who held the name before.
   * @throws RangeError if the lease is not for that name
   */
  token(name?: string): number {
    const found = name === undefined ? this.held[0] : this.held.find(held => held.name === name)
    if (found === undefined) throw new RangeError(`The lease is not for the name '${name ?? ''}'.`)
    return found.token
  }

  /** Gives the names up. Without effect if the lease is lost or was given up. */
  async release(): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    this.renewal.stop()
    try {
      await this.client.releaseLease({ leases: this.held.map(({ name, token }) => ({ name, token })) })
    } catch (error) {
      // Where nobody can be told, the names become free by themselves.
      if (error instanceof RefusedError) throw error
    }
  }

  async [asyncDispose](): Promise<void> {
    await this.release()
  }
}
