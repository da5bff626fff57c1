import type { Input, SessionRow } from '../api/catalogue.js'
import type { Client } from '../api/client.js'

/** Sessions of the page that is read anew all the time, and of each further one. */
const FIRST_PAGE = 50
const PAGE = 200
/** Pages that one look at what is new reads at most; where more has come meanwhile, the list begins anew. */
const PAGES = 5

/** A place in the list: what follows a session; from its beginning where there is none. */
interface Place {
  after?: SessionRow
  cursor?: string
}

export interface SessionRows {
  rows: readonly SessionRow[] | undefined
  has_more: boolean
  error: unknown
}

/**
 * The sessions that a filter shows, newest first. It grows page by page; what is at its top and what one looks at is
 * read anew, and nothing else. It tells `onChange` of each new state.
 */
export class SessionRowStore {
  private state: SessionRows = { rows: undefined, has_more: true, error: undefined }
  /** Where pages began. */
  private places: Place[] = [{}]
  private view: readonly [first: number, last: number] = [0, 0]
  private running = false
  private again = false
  private closed = false

  constructor(
    private readonly client: Client,
    private readonly filter: Input<'list_sessions'>,
    private readonly onChange: (state: SessionRows) => void
  ) {
    this.refresh()
  }

  close(): void {
    this.closed = true
  }

  /** Reads anew what may have changed. */
  readonly refresh = (): void => {
    this.again = true
    this.start()
  }

  /** Told what is in view. Near the end it reads on. */
  look(first: number, last: number): void {
    this.view = [first, last]
    if (this.isNearEnd()) this.start()
  }

  private start(): void {
    if (!this.running) void this.run()
  }

  private async run(): Promise<void> {
    this.running = true
    while (!this.closed && (this.again || this.isNearEnd())) {
      const isAnew = this.again
      this.again = false
      try {
        if (isAnew) {
          await this.readTop()
          await this.readView()
        } else await this.readOn()
        this.set({ error: undefined })
      } catch (error) {
        this.set({ error })
      }
    }
    this.running = false
  }

  /** After a failure it does not read on by itself: the next look at what is new does. */
  private isNearEnd(): boolean {
    const { rows, has_more, error } = this.state
    return rows !== undefined && has_more && error === undefined && this.view[1] > rows.length - FIRST_PAGE / 2
  }

  private async readTop(): Promise<void> {
    const known = this.state.rows?.[0]
    for (let place: Place = {}, pages = 1; ; pages++) {
      const page = await this.read(place, FIRST_PAGE)
      if (page === undefined) return
      const last = page.sessions.at(-1)
      if (known === undefined && page.next_cursor !== null) this.places.push({ after: last, cursor: page.next_cursor })
      // Whether others may be between what has come and what was there.
      const isGap = known !== undefined && last !== undefined && page.next_cursor !== null && isAfter(known, last)
      if (!isGap) return
      place = { after: last, cursor: page.next_cursor as string }
      this.places.push(place)
      if (pages < PAGES) continue
      this.places = [{}, place]
      this.set({ rows: this.state.rows?.filter(row => !isAfter(row, last)), has_more: true })
      return
    }
  }

  private async readView(): Promise<void> {
    const { rows = [] } = this.state
    const [first, last] = [rows[Math.max(FIRST_PAGE, this.view[0])], rows[Math.min(rows.length - 1, this.view[1])]]
    if (first === undefined || last === undefined || isAfter(first, last)) return
    const before = this.places.filter(({ after }) => after === undefined || isAfter(first, after))
    const place = before.reduce((best, each) => (isBehind(each, best) ? each : best))
    const page = await this.read(place, PAGE)
    const end = page?.sessions.at(-1)
    // What is in view may be at the border of two pages.
    if (end !== undefined && isAfter(last, end) && typeof page?.next_cursor === 'string')
      await this.read({ after: end, cursor: page.next_cursor }, PAGE)
  }

  private async readOn(): Promise<void> {
    const place = this.places.reduce((best, each) => (isBehind(each, best) ? each : best))
    const page = await this.read(place, PAGE)
    if (typeof page?.next_cursor === 'string')
      this.places.push({ after: page.sessions.at(-1), cursor: page.next_cursor })
  }

  /** Reads the page at a place, and puts it there. */
  private async read({ after, cursor }: Place, limit: number) {
    const page = await this.client.call('list_sessions', {
      ...this.filter,
      limit,
      ...(cursor !== undefined && { cursor })
    })
    if (this.closed) return undefined
    const { rows = [] } = this.state
    const end = page.has_more ? page.sessions.at(-1) : undefined
    const before = after === undefined ? [] : rows.filter(row => !isAfter(row, after))
    const behind = end === undefined ? [] : rows.filter(row => isAfter(row, end))
    const has_more = page.has_more && (behind.length === 0 || this.state.has_more)
    this.set({ rows: [...before, ...page.sessions, ...behind], has_more })
    return page
  }

  private set(change: Partial<SessionRows>): void {
    this.state = { ...this.state, ...change }
    if (!this.closed) this.onChange(this.state)
  }
}

/** Whether the first of two sessions is behind the second in the list: it is older. */
function isAfter(a: SessionRow, b: SessionRow): boolean {
  return a.created_at < b.created_at || (a.created_at === b.created_at && a.id < b.id)
}

function isBehind(a: Place, b: Place): boolean {
  return a.after !== undefined && (b.after === undefined || isAfter(a.after, b.after))
}
