import { AppError } from '../../kernel/errors.js'

/**
 * Limits the memory of request bodies in one process, from their first byte until the response. Callers without valid
 * credentials have a separate pool, so that they cannot use up the memory of the others. If a pool is full, a new body
 * evicts a larger one: the largest body of the address that uses most. So small requests are served while others send
 * large ones.
 */

/** Share of the budget for callers without valid credentials. */
const UNKNOWN_SHARE = 1 / 4
/** Share of a pool that the bodies of one address may use. */
const ADDRESS_SHARE = 1 / 2

export interface Reservation {
  /**
   * Changes the reservation to this many bytes.
   * @throws AppError SERVICE_UNAVAILABLE if the pool is full and there is no larger body to evict
   */
  set: (bytes: number) => void
  /** Protects the reservation from eviction, because the body is being handled. */
  pin: () => void
  /** Releases the reservation. Further calls do nothing. */
  close: () => void
}

export interface BodyBudget {
  /**
   * @param known whether the caller has valid credentials
   * @param network of the client (address.ts)
   * @param onEvicted called at most once, when the reservation is evicted for another body; it is released then
   */
  open: (known: boolean, network: string, onEvicted: (error: AppError) => void) => Reservation
  /** Bytes that are reserved now. */
  reservedBytes: (known: boolean) => number
}

/** @param max bytes in all */
export function createBodyBudget(max: number): BodyBudget {
  const unknownPool = new Pool(Math.floor(max * UNKNOWN_SHARE))
  const knownPool = new Pool(max - Math.floor(max * UNKNOWN_SHARE))
  return {
    open: (isKnown, network, onEvicted) => (isKnown ? knownPool : unknownPool).open(network, onEvicted),
    reservedBytes: isKnown => (isKnown ? knownPool : unknownPool).bytes
  }
}

interface Body {
  owner: Owner
  bytes: number
  onEvicted: (error: AppError) => void
}

/** All bodies from one address. */
interface Owner {
  network: string
  bytes: number
  /** Bodies that are still arriving and can be evicted. */
  evictable: Set<Body>
  open: number
}

class Pool {
  bytes = 0
  private readonly owners = new Map<string, Owner>()
  private readonly per_owner: number

  constructor(private readonly max: number) {
    this.per_owner = Math.floor(max * ADDRESS_SHARE)
  }

  open(network: string, onEvicted: (error: AppError) => void): Reservation {
    const owner = this.owners.get(network) ?? { network, bytes: 0, evictable: new Set<Body>(), open: 0 }
    this.owners.set(network, owner)
    owner.open++
    const body: Body = { owner, bytes: 0, onEvicted }
    owner.evictable.add(body)
    let open = true
    return {
      set: bytes => {
        if (open) this.resize(body, bytes)
      },
      pin: () => {
        owner.evictable.delete(body)
      },
      close: () => {
        if (!open) return
        open = false
        this.add(body, -body.bytes)
        owner.evictable.delete(body)
        if (--owner.open === 0) this.owners.delete(network)
      }
    }
  }

  private resize(body: Body, bytes: number): void {
    const { owner } = body
    while (owner.bytes - body.bytes + bytes > this.per_owner) this.evictFrom(owner, body, bytes)
    while (this.bytes - body.bytes + bytes > this.max)
      this.evictFrom(this.largestOwner(owner, owner.bytes - body.bytes + bytes), body, bytes)
    this.add(body, bytes - body.bytes)
  }

  private add(body: Body, bytes: number): void {
    body.bytes += bytes
    body.owner.bytes += bytes
    this.bytes += bytes
  }

  /** The address whose bodies that can be taken away are largest together; `own` where it is the one. */
  private largestOwner(requester: Owner, requester_bytes: number): Owner {
    let largest = requester
    let largest_bytes = requester_bytes
    for (const owner of this.owners.values()) {
      if (owner === requester || owner.bytes <= largest_bytes || owner.evictable.size === 0) continue
      largest = owner
      largest_bytes = owner.bytes
    }
    return largest
  }

  /** Takes away the largest body of an address. @throws AppError where of its own address that is the one that asks */
  private evictFrom(owner: Owner, requester: Body, bytes: number): void {
    let largest: Body | undefined
    for (const body of owner.evictable) if (body !== requester && body.bytes > (largest?.bytes ?? 0)) largest = body
    if (largest === undefined || (owner === requester.owner && largest.bytes <= bytes)) throw budgetExhausted()
    this.add(largest, -largest.bytes)
    owner.evictable.delete(largest)
    largest.onEvicted(budgetExhausted())
  }
}

function budgetExhausted(): AppError {
  return new AppError(
    'SERVICE_UNAVAILABLE',
    'The server has no memory for the request body at the moment: other request bodies use all of it.',
    {
      suggestions: [
        'Wait retry_after seconds and call again; with the same idempotency_key a write happens once',
        'Send smaller bodies, or fewer at a time'
      ]
    }
  )
}
