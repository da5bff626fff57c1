/**
 * Hints that something changed: ids only, after the commit, and they may be lost. Whoever is woken reads again with an
 * ordinary query and its present rights. A hint never holds data.
 */

/** What a hint is about. Built by the functions below; a workspace's name holds no colon. */
export type Topic =
  /** A session's feed has grown. */
  | `session:${string}:${string}`
  /** Some session of the workspace has grown: told along with every hint about a session. */
  | `workspace:${string}`
  /** An agent's memory changed. */
  | `memory:${string}:${string}`
  /** A task of the workspace may have become ready. */
  | `tasks:${string}`
  /** A lease on a name of the workspace has ended. */
  | `leases:${string}`
  /** Something came for an agent, or for a type of agents. */
  | `inbox:${string}:${string}`
  /** An MCP session's row (identity, subscriptions) changed or went. */
  | `mcp:${string}`

export const sessionTopic = (workspace: string, session_id: string): Topic => `session:${workspace}:${session_id}`
export const workspaceTopic = (workspace: string): Topic => `workspace:${workspace}`
export const memoryTopic = (workspace: string, agent_id: string): Topic => `memory:${workspace}:${agent_id}`
export const tasksTopic = (workspace: string): Topic => `tasks:${workspace}`
export const leasesTopic = (workspace: string): Topic => `leases:${workspace}`
export const inboxTopic = (workspace: string, name: string): Topic => `inbox:${workspace}:${name}`
export const mcpTopic = (id_hash: Buffer): Topic => `mcp:${id_hash.toString('hex')}`

type TopicKind = 'session' | 'workspace' | 'memory' | 'tasks' | 'leases' | 'inbox' | 'mcp'

/** Kind, workspace or hash, and the rest of a topic. */
export function partsOf(topic: Topic): { kind: TopicKind; of: string; id: string } {
  const first = topic.indexOf(':')
  const second = topic.indexOf(':', first + 1)
  const kind = topic.slice(0, first) as TopicKind
  return second < 0
    ? { kind, of: topic.slice(first + 1), id: '' }
    : { kind, of: topic.slice(first + 1, second), id: topic.slice(second + 1) }
}

/**
 * @param version the version that the poll saw; for a session, its last_seq. A reader who has that version need not
 * read again. Absent: something may have changed.
 */
export type Wake = (version?: string) => void

export interface Events {
  /**
   * After the commit. Wakes this replica's listeners on the next tick and every other replica's within milliseconds.
   * Never throws.
   */
  publish: (topics: readonly Topic[]) => void
  /**
   * `wake` is called soon after any hint on the topic, after every gap in hearing, and within a second of a change
   * whose hint was lost; also without a change. It must not throw, nor work itself: it notes that there is reading to
   * do.
   * @returns what ends it
   */
  subscribe: (topic: Topic, wake: Wake) => () => void
}

/** The half of it that is in this process; `feed/store/notify.ts` joins those of all replicas. */
export interface Hub extends Events {
  /** Hints from elsewhere. */
  heard: (topics: readonly Topic[]) => void
  /** After a gap: everybody looks again. */
  wakeAll: () => void
  /** A look at the database has seen these versions. Wakes those on whose topic it differs from the last. */
  seen: (versions: ReadonlyMap<Topic, string>) => void
  /** What is listened to. */
  topics: () => Topic[]
  close: () => void
}

interface Listeners {
  wakes: Set<Wake>
  version: string | undefined
}

/** @param send takes what was published here to the other replicas */
export function createHub(send: (topics: readonly Topic[]) => void = () => {}): Hub {
  const listening = new Map<Topic, Listeners>()
  let due = new Set<Topic>()
  let closed = false

  function wake(topic: Topic, version?: string): void {
    for (const each of [...(listening.get(topic)?.wakes ?? [])]) each(version)
  }

  function later(topics: readonly Topic[]): void {
    if (closed) return
    const first = due.size === 0
    for (const topic of topics) {
      if (listening.has(topic)) due.add(topic)
      const { kind, of } = partsOf(topic)
      if (kind === 'session' && listening.has(workspaceTopic(of))) due.add(workspaceTopic(of))
    }
    if (!first || due.size === 0) return
    setImmediate(() => {
      const now = due
      due = new Set()
      if (!closed) for (const topic of now) wake(topic)
    })
  }

  return {
    publish(topics) {
      if (closed || topics.length === 0) return
      later(topics)
      send(topics)
    },
    subscribe(topic, each) {
      const listeners = listening.get(topic) ?? { wakes: new Set(), version: undefined }
      listening.set(topic, listeners)
      // A function of its own, so that one that subscribes twice is two subscriptions.
      const own: Wake = version => {
        each(version)
      }
      listeners.wakes.add(own)
      return () => {
        listeners.wakes.delete(own)
        if (listeners.wakes.size === 0 && listening.get(topic) === listeners) listening.delete(topic)
      }
    },
    heard: later,
    wakeAll() {
      if (!closed) for (const topic of [...listening.keys()]) wake(topic)
    },
    seen(versions) {
      for (const [topic, version] of versions) {
        const listeners = listening.get(topic)
        if (closed || listeners === undefined || listeners.version === version) continue
        listeners.version = version
        wake(topic, version)
      }
    },
    topics: () => [...listening.keys()],
    close() {
      closed = true
    }
  }
}
