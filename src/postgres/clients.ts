import pg from 'pg'
import { destroySocket } from './pg-internals.js'
import { AttemptFailed, Attempts, type Candidate, type Route } from './route.js'

/**
 * The class of clients that connect along a route, and are prepared when `connect` has succeeded. A pool makes one for
 * each connection that it needs.
 */
export function clientsAlong(route: Route, prepare: (client: pg.Client) => Promise<void>): new () => pg.Client {
  return class extends pg.Client {
    private readonly candidate: Candidate
    private readonly fault: unknown

    constructor() {
      const candidate = route.next()
      let config: pg.ClientConfig = {}
      let fault: unknown
      // The pool may be calling from a timer, where nobody would catch it.
      try {
        config = route.configFor(candidate)
      } catch (error) {
        fault = error
      }
      super(config)
      this.candidate = candidate
      this.fault = fault
      // An error without a listener ends the process. Whoever has sent a statement learns of it from the statement.
      this.on('error', () => {})
    }

    override connect(): Promise<pg.Client>
    override connect(callback: (error: Error | null) => void): void
    override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | void {
      const connected = this.attempt()
      if (callback === undefined) return connected
      connected.then(
        () => {
          callback(null)
        },
        (error: unknown) => {
          callback(error as Error)
        }
      )
    }

    private async attempt(): Promise<pg.Client> {
      try {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever the file system threw
        if (this.fault !== undefined) throw this.fault
        await super.connect()
        await prepare(this)
        route.succeeded(this.candidate)
        return this
      } catch (error) {
        route.failed(this.candidate, error)
        void this.end().catch(() => {})
        destroySocket(this)
        throw new AttemptFailed(this.candidate, error)
      }
    }
  }
}

/**
 * Connects outside a pool.
 * @throws ConnectError; whatever the signal was aborted with
 */
export async function connectAlong(route: Route, Client: new () => pg.Client, signal: AbortSignal): Promise<pg.Client> {
  const attempts = new Attempts(route)
  for (;;) {
    signal.throwIfAborted()
    const client = new Client()
    const abort = () => {
      destroySocket(client)
    }
    signal.addEventListener('abort', abort)
    try {
      return await client.connect()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof AttemptFailed) || !attempts.failed(error)) throw attempts.error()
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}

/**
 * A pool whose `connect` makes as many attempts as the route has. It fails with a ConnectError, or because it is busy.
 */
export function poolAlong(route: Route, Client: new () => pg.Client, options: pg.PoolConfig): pg.Pool {
  return new (class extends pg.Pool {
    override connect(): Promise<pg.PoolClient>
    override connect(callback: Connected): void
    override connect(callback?: Connected): Promise<pg.PoolClient> | void {
      const connected = this.attempt()
      if (callback === undefined) return connected
      connected.then(
        client => {
          callback(undefined, client, (fault?: Error | boolean) => {
            client.release(fault)
          })
        },
        (error: unknown) => {
          callback(error as Error, undefined, () => {})
        }
      )
    }

    private async attempt(): Promise<pg.PoolClient> {
      const attempts = new Attempts(route)
      for (;;) {
        try {
          return await super.connect()
        } catch (error) {
          // A time-out of the pool wraps what the attempt said.
          const attempt = [error, (error as Error).cause].find(each => each instanceof AttemptFailed)
          if (attempt === undefined) throw error
          if (!attempts.failed(attempt)) throw attempts.error()
        }
      }
    }
  })({ ...options, Client })
}

type Connected = Parameters<pg.Pool['connect']>[0]
