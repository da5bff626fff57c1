import { AppError } from '../../kernel/errors.js'

/**
 * How many bytes request bodies may take in one process, from their first byte until their request is answered. Callers
 * without good credentials have a part of their own, so that they can never take what the others need. Where a part is
 * full, the largest body of the address that holds most makes room for a smaller one: who sends little is served while
 * others send much.
 */

/** Of all bytes, those for callers without good credentials. */
const STRANGERS = 1 / 4
/** Of a part, what bodies from one address may take. */
const ADDRESS = 1 / 2

export interface Share {
  /**
   * Makes it that many bytes, also fewer.
   * @throws AppError SERVICE_UNAVAILABLE where there is no room, and no larger body to take it from
   */
  set: (bytes: number) => void
  /** From now on it cannot be taken away: the body is being handled. */
  keep: () => void
  /** Gives all back; harmless twice. */
  close: () => void
}

export interface BodyBudget {
  /**
   * @param known whether the caller has good credentials
   * @param network of the client (address.ts)
   * @param onTaken called at most once, when the room is taken away for somebody else; nothing is left of it then
   */
  open: (known: boolean, network: string, onTaken: (error: AppError) => void) => Share
  /** Bytes taken. */
  taken: (known: boolean) => number
}

/** @param max bytes in all */
export function createBodyBudget(max: number): BodyBudget {
  const strangers = new Part(Math.floor(max * STRANGERS))
  const known = new Part(max - Math.floor(max * STRANGERS))
  return {
    open: (isKnown, network, onTaken) => (isKnown ? known : strangers).open(network, onTaken),
    taken: isKnown => (isKnown ? known : strangers).bytes
  }
}

interface Body {
  owner: Owner
  bytes: number
  onTaken: (error: AppError) => void
}

/** All bodies from one address. */
interface Owner {
  network: string
  bytes: number
  /** Those that can be taken away. */
  arriving: Set<Body>
  open: number
}

class Part {
  bytes = 0
  private readonly owners = new Map<string, Owner>()
  private readonly per_owner: number

  constructor(private readonly max: number) {
    this.per_owner = Math.floor(max * ADDRESS)
  }

  open(network: string, onTaken: (error: AppError) => void): Share {
    const owner = this.owners.get(network) ?? { network, bytes: 0, arriving: new Set<Body>(), open: 0 }
    this.owners.set(network, owner)
    owner.open++
    const body: Body = { owner, bytes: 0, onTaken }
    owner.arriving.add(body)
    let open = true
    return {
      set: bytes => {
        if (open) this.resize(body, bytes)
      },
      keep: () => {
        owner.arriving.delete(body)
      },
      close: () => {
        if (!open) return
        open = false
        this.add(body, -body.bytes)
        owner.arriving.delete(body)
        if (--owner.open === 0) this.owners.delete(network)
      }
    }
  }

  private resize(body: Body, bytes: number): void {
    const { owner } = body
    while (owner.bytes - body.bytes + bytes > this.per_owner) this.takeFrom(owner, body, bytes)
    while (this.bytes - body.bytes + bytes > this.max)
      this.takeFrom(this.heaviest(owner, owner.bytes - body.bytes + bytes), body, bytes)
    this.add(body, bytes - body.bytes)
  }

  private add(body: Body, bytes: number): void {
    body.bytes += bytes
    body.owner.bytes += bytes
    this.bytes += bytes
  }

  /** The address whose bodies that can be taken away are largest together; `own` where it is the one. */
  private heaviest(own: Owner, own_bytes: number): Owner {
    let most = own
    let most_bytes = own_bytes
    for (const owner of this.owners.values()) {
      if (owner === own || owner.bytes <= most_bytes || owner.arriving.size === 0) continue
      most = owner
      most_bytes = owner.bytes
    }
    return most
  }

  /** Takes away the largest body of an address. @throws AppError where of its own address that is the one that asks */
  private takeFrom(owner: Owner, asking: Body, bytes: number): void {
    let largest: Body | undefined
    for (const body of owner.arriving) if (body !== asking && body.bytes > (largest?.bytes ?? 0)) largest = body
    if (largest === undefined || (owner === asking.owner && largest.bytes <= bytes)) throw noRoom()
    this.add(largest, -largest.bytes)
    owner.arriving.delete(largest)
    largest.onTaken(noRoom())
  }
}

function noRoom(): AppError {
  return new AppError(
    'SERVICE_UNAVAILABLE',
    'The server has no room for the request body at the moment: other bodies take all that there is.',
    {
      suggestions: [
        'Wait retry_after seconds and call again; with the same idempotency_key a write happens once',
        'Send smaller bodies, or fewer at a time'
      ]
    }
  )
}
