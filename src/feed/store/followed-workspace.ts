import type { Agent } from '../../kernel/agent.js'
import { type Events, workspaceTopic } from '../../kernel/events.js'
import type { Semaphore } from '../../kernel/semaphore.js'
import type { EndReason } from '../live.js'
import { encodeFeedCursor, type FeedCursor } from '../feed-cursor.js'
import { knownEnd, rightsEnd } from '../../agents/rights.js'
import type { Tokens } from '../../agents/verifiers.js'
import type { Change } from './feed.js'
import type { Db } from '../../postgres/schema.js'
import { distinct } from './viewers.js'
import { type Grown, grown, readSeqRanges, snapshotNow, type SeqRange } from './workspace-feed.js'

/** Numbers of sessions' orders that one reading takes at most, and of one session. */
const PAGE = 200
const PAGE_OF_SESSION = 100
/** After a reading that failed. */
const RETRY_MS = 250

/** A change of some session, with the place of a reader who has been told of it. */
export interface WorkspaceChange {
  session_id: string
  change: Change
  place: string
}

export interface WorkspaceFollower {
  /**
   * Changes, those of a session in the order of their seq, each once. While it is behind, what this returns is awaited
   * before the next; once it has caught up it is not.
   */
  deliver: (changes: readonly WorkspaceChange[]) => void | Promise<void>
  /** Once, and nothing after it. Not called after `close`. */
  ended: (reason: EndReason) => void
}

/** One who follows a workspace. */
export interface Entry {
  viewer: Agent
  follower: WorkspaceFollower
  origin: string
  place: FeedCursor
  open: boolean
  /** Whether the others have been read since it came, so that it stands where they stand or behind. */
  met: boolean
  behind: boolean
  moved: boolean
  leave: () => void
}

interface Deps {
  events: Events
  tokens: Pick<Tokens, 'revoked' | 'knownRevoked'>
  onFault: (error: unknown) => void
  db: Db
  gate: Semaphore
  end: (entry: Entry, reason: EndReason) => void
}

/** A workspace that is followed: one place, one reading for all who stand at it. */
export class FollowedWorkspace {
  private readonly entries = new Set<Entry>()
  private readonly unsubscribe: () => void
  /** The snapshot all of which those have been told who are not behind; undefined before the first reading. */
  private at: string | undefined
  private reading = false
  private again = false
  private retry: NodeJS.Timeout | undefined

  constructor(
    private readonly means: Deps,
    private readonly workspace: string
  ) {
    this.unsubscribe = means.events.subscribe(workspaceTopic(workspace), () => {
      this.wake()
    })
  }

  get empty(): boolean {
    return this.entries.size === 0
  }

  add(entry: Entry): void {
    this.entries.add(entry)
    this.wake()
  }

  remove(entry: Entry): void {
    this.entries.delete(entry)
    if (!this.empty) return
    this.unsubscribe()
    clearTimeout(this.retry)
  }

  private wake(): void {
    if (this.reading) this.again = true
    else void this.readOn()
  }

  private async readOn(): Promise<void> {
    this.reading = true
    try {
      do {
        this.again = false
        await this.read()
      } while (this.again && !this.empty)
    } catch (error) {
      this.tryLater(error, () => {
        this.wake()
      })
    } finally {
      this.reading = false
    }
  }

  private async read(): Promise<void> {
    const { db } = this.means
    const before = [...this.entries]
    const since = this.at
    const { until, sessions } =
      since === undefined ? { until: await snapshotNow(db), sessions: [] } : await grown(db, this.workspace, since)
    if (since !== undefined && sessions.length > 0) await this.tellAll(since, until, sessions)
    this.at = until
    for (const entry of this.entries) {
      // Those who were told all of it; whoever arrived at the old place meanwhile, or left the reading, is behind.
      if (
        since !== undefined &&
        entry.met &&
        !entry.behind &&
        entry.place.part === undefined &&
        entry.place.since === since
      ) {
        if (sessions.length === 0) entry.place = { since: until }
      }
    }
    for (const entry of before) entry.met = true
    for (const entry of [...this.entries]) if (entry.met && !this.isHere(entry)) void this.catchUp(entry)
  }

  private isHere({ place }: Entry): boolean {
    return place.part === undefined && place.since === this.at
  }

  /** One reading of each page for all who stand at `since`. */
  private async tellAll(since: string, until: string, sessions: readonly Grown[]): Promise<void> {
    let members = [...this.entries].filter(entry => entry.met && !entry.behind && this.isHere(entry))
    for (const stretches of pagesOf(sessions)) {
      members = members.filter(entry => entry.open)
      if (members.length === 0) return
      const { viewers, of } = distinct(members)
      const read = await readSeqRanges(this.means.db, viewers, stretches)
      const lists = new Map<number, WorkspaceChange[]>()
      members = members.filter(entry => {
        if (!entry.open) return false
        const reason = knownEnd(entry.viewer, this.means.tokens)
        if (reason !== false) {
          // Where memory cannot tell, it falls behind, and is asked about there.
          if (reason !== undefined) this.means.end(entry, reason)
          return false
        }
        const viewer = of.get(entry) as number
        const list = lists.get(viewer) ?? changesFor(viewer, read, since, until, entry.origin)
        lists.set(viewer, list)
        void this.tell(entry, list)
        entry.place = placeAfter(stretches, since, until)
        return true
      })
    }
    for (const entry of members) if (entry.open) entry.place = { since: until }
  }

  private tell(entry: Entry, changes: readonly WorkspaceChange[]): void | Promise<void> {
    entry.moved = changes.length === 0
    if (!entry.open || changes.length === 0) return
    try {
      return entry.follower.deliver(changes)
    } catch (error) {
      this.means.onFault(error)
      entry.leave()
    }
  }

  /** Brings one up to the others by pages of its own. */
  private async catchUp(entry: Entry): Promise<void> {
    if (entry.behind) return
    entry.behind = true
    const { db, gate, tokens } = this.means
    const { viewer } = entry
    try {
      while (entry.open && !this.isHere(entry)) {
        const { since, part } = entry.place
        const { until, sessions } = await gate(() => grown(db, this.workspace, since, part?.until ?? this.at))
        for (const stretches of pagesOf(sessions, part)) {
          if (!entry.open) return
          const read = await gate(() => readSeqRanges(db, [viewer], stretches))
          const reason = await rightsEnd(viewer, tokens)
          if (reason !== false) return this.means.end(entry, reason)
          await this.tell(entry, changesFor(0, read, since, until, entry.origin))
          entry.place = placeAfter(stretches, since, until)
        }
        entry.place = { since: until }
      }
    } catch (error) {
      this.tryLater(error, () => {
        this.wake()
      })
    } finally {
      entry.behind = false
    }
  }

  private tryLater(error: unknown, work: () => void): void {
    if (this.empty) return
    this.means.onFault(error)
    clearTimeout(this.retry)
    this.retry = setTimeout(work, RETRY_MS).unref()
  }
}

function changesFor(
  viewer: number,
  read: Awaited<ReturnType<typeof readSeqRanges>>,
  since: string,
  until: string,
  origin: string
): WorkspaceChange[] {
  return read.flatMap(({ stretch: { session_id }, changesOf }) =>
    changesOf(viewer).map(change => ({
      session_id,
      change,
      place: encodeFeedCursor(origin, { since, part: { until, session_id, seq: change.seq } })
    }))
  )
}

function placeAfter(stretches: readonly SeqRange[], since: string, until: string): FeedCursor {
  const last = stretches.at(-1) as SeqRange
  return { since, part: { until, session_id: last.session_id, seq: last.until } }
}

/** What has grown, from a place on, in pages that one reading can take. */
export function* pagesOf(sessions: readonly Grown[], from?: FeedCursor['part']): Generator<SeqRange[]> {
  let page: SeqRange[] = []
  let room = PAGE
  for (const { session_id, first, last } of sessions) {
    if (from !== undefined && session_id < from.session_id) continue
    let after = from?.session_id === session_id ? Math.max(first - 1, from.seq) : first - 1
    while (after < last) {
      const until = Math.min(last, after + Math.min(room, PAGE_OF_SESSION))
      page.push({ session_id, after, until })
      room -= until - after
      after = until
      if (room > 0) continue
      yield page
      page = []
      room = PAGE
    }
  }
  if (page.length > 0) yield page
}
