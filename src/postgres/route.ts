import type pg from 'pg'
import { type DatabaseAddress, placeOf } from '../config/database-url.js'
import { ConnectError, isUnreachable, NO_TLS } from './faults.js'

/** One way to connect: a host of the address, with TLS or without. */
export interface Candidate {
  host: number
  tls: boolean
}

/** One attempt to connect has failed. */
export class AttemptFailed extends ConnectError {
  constructor(
    readonly candidate: Candidate,
    cause: unknown
  ) {
    super(cause)
  }
}

/** Which variants libpq tries, in its order. `prefer` and `allow` go on with the other one. */
const VARIANTS: Record<DatabaseAddress['tls'], readonly boolean[]> = {
  disable: [false],
  allow: [false, true],
  prefer: [true, false],
  require: [true],
  'verify-ca': [true],
  'verify-full': [true]
}

/**
 * Which host is tried next, and whether with TLS. The service stays with what worked last. When that fails, it tries
 * the others, in the order of the URL.
 */
export class Route {
  readonly candidates: readonly Candidate[]
  private position = 0
  /** Hosts that have said that they offer no TLS. */
  private readonly withoutTls = new Set<number>()

  constructor(
    readonly address: DatabaseAddress,
    private readonly base: pg.ClientConfig,
    private readonly connect_timeout_ms: number
  ) {
    this.candidates = address.hosts.flatMap(({ host }, n) =>
      (host?.startsWith('/') === true ? [false] : VARIANTS[address.tls]).map(tls => ({ host: n, tls }))
    )
  }

  next(): Candidate {
    return this.candidates[this.position] as Candidate
  }

  /** @throws Error of the file system if a file of the URL cannot be read */
  configFor({ host: n, tls }: Candidate): pg.ClientConfig {
    const { hosts, user, password, database, options, sslnegotiation, application_name } = this.address
    return {
      ...this.base,
      // Every host has its share of the time, so that one which does not answer leaves some for the next.
      connectionTimeoutMillis: this.connect_timeout_ms / hosts.length,
      ...{ ...hosts[n], user, password, database, options },
      ssl: tls ? this.address.tlsOptions() : false,
      ...(tls && { sslnegotiation }),
      ...(application_name !== undefined && { application_name })
    }
  }

  failed(candidate: Candidate, error: unknown): void {
    if ((error as Error | undefined)?.message === NO_TLS) this.withoutTls.add(candidate.host)
    // Otherwise another attempt has failed here first, and has moved on.
    if (this.next() !== candidate) return
    this.position = isUnreachable(error)
      ? this.firstOf((candidate.host + 1) % this.address.hosts.length)
      : (this.position + 1) % this.candidates.length
  }

  succeeded(candidate: Candidate): void {
    // The attempt with TLS may have failed for a reason that passes. Then the next connection tries it again.
    if (this.address.tls === 'prefer' && !candidate.tls && !this.withoutTls.has(candidate.host))
      this.position = this.firstOf(candidate.host)
  }

  private firstOf(host: number): number {
    return this.candidates.findIndex(each => each.host === host)
  }
}

/**
 * The attempts that one need of a connection may make: each candidate once, and none at a host that does not answer.
 */
export class Attempts {
  private readonly left: Set<Candidate>
  private readonly faults = new Map<number, unknown>()
  private made = 0

  constructor(private readonly route: Route) {
    this.left = new Set(route.candidates)
  }

  /** @returns whether another attempt may succeed */
  failed({ candidate, cause }: AttemptFailed): boolean {
    const { host } = candidate
    for (const each of this.left)
      if (each === candidate || (each.host === host && isUnreachable(cause))) this.left.delete(each)
    // Of the two variants the one counts that was not refused for being the wrong variant.
    if (!this.faults.has(host) || !isWrongVariant(cause)) this.faults.set(host, cause)
    // Others move the route too, so that this one may meet the same candidate again and again.
    return this.left.size > 0 && ++this.made < this.route.candidates.length
  }

  /** What the operator needs to know of all of them. */
  error(): ConnectError {
    const faults = [...this.faults]
    const last = faults.at(-1)?.[1]
    if (faults.length < 2) return new ConnectError(last)
    const words = faults.map(([host, error]) => {
      const place = placeOf(this.route.address.hosts[host] ?? { host: undefined, port: undefined })
      return `${place}: ${error instanceof Error ? error.message : String(error)}`
    })
    return new ConnectError(last, words.join('; '))
  }
}

/** Whether a server refused an attempt only for its TLS, or for having none. */
function isWrongVariant(error: unknown): boolean {
  const { message = '' } = Object(error) as { message?: string }
  return message === NO_TLS || /no encryption|SSL off/.test(message)
}
