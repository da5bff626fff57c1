import type { FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import { memoryTopic } from '../../kernel/events.js'
import type { EndReason } from '../../feed/live.js'
import { memoryVersionsAcross, memoryOf } from '../../feed/store/resource-versions.js'
import type { ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { placeOf } from './subscribable.js'

/** Notices that resources change, for one who may read them, with the rights it has when they do. */
export interface Watch {
  /** From now on this resource too; what came after the mark is told. */
  add: (uri: string, mark: ResourceVersion) => void
  remove: (uri: string) => void
  has: (uri: string) => boolean
  close: () => void
}

export interface Watcher {
  /** Something that the viewer may see has changed. */
  updated: (uri: string) => void
  /** The viewer's rights have ended, or this replica stops. */
  ended: (reason: EndReason) => void
}

/** One place that changes, and the URIs that show it: `session://x` and `session://x/messages/5` are one. */
interface Spot {
  uris: Set<string>
  close: () => void
}

export type Watches = (viewer: Agent, watcher: Watcher) => Watch

export function createWatches(app: FastifyInstance): Watches {
  const { live } = app
  const memories = createMemories(app)

  return (viewer, watcher) => {
    const spots = new Map<string, Spot>()
    let closed = false

    function open(key: string, uri: string, mark: ResourceVersion): Spot | undefined {
      const place = placeOf(uri)
      if (place === undefined || place === 'fixed') return undefined
      const uris = new Set<string>()
      const changed = () => {
        for (const each of uris) watcher.updated(each)
      }
      if ('agent_id' in place)
        return place.agent_id === viewer.agent_id
          ? { uris, close: memories.follow(viewer, String(mark), changed) }
          : undefined
      const { close } = live.follow(place.session_id, viewer, Number(mark), {
        deliver(changes) {
          if (changes.length > 0) changed()
        },
        ended(reason) {
          if (closed) return
          if (reason !== 'session_gone') {
            watcher.ended(reason)
            return
          }
          // Who reads it now is told that it is not there.
          changed()
          spots.delete(key)
        }
      })
      return { uris, close }
    }

    return {
      add(uri, mark) {
        const key = keyOf(uri)
        const spot = spots.get(key) ?? open(key, uri, mark)
        if (closed || spot === undefined) return
        spots.set(key, spot)
        spot.uris.add(uri)
      },
      remove(uri) {
        const key = keyOf(uri)
        const spot = spots.get(key)
        if (spot === undefined || !spot.uris.delete(uri) || spot.uris.size > 0) return
        spots.delete(key)
        spot.close()
      },
      has: uri => spots.get(keyOf(uri))?.uris.has(uri) === true,
      close() {
        closed = true
        for (const spot of spots.values()) spot.close()
        spots.clear()
      }
    }
  }
}

function keyOf(uri: string): string {
  return JSON.stringify(placeOf(uri))
}

/** Agents' memories that are watched on this replica: one statement for all that something was heard of. */
function createMemories({ database, events, kernel, log }: FastifyInstance) {
  const followed = new Map<string, { agent: Agent; mark: string; changed: Set<() => void>; stop: () => void }>()
  const due = new Set<string>()
  let reading = false

  async function read(): Promise<void> {
    if (reading) return
    reading = true
    try {
      while (due.size > 0) {
        const keys = [...due].filter(key => followed.has(key))
        due.clear()
        if (keys.length === 0) continue
        const marks = await memoryVersionsAcross(
          database.db,
          keys.map(key => (followed.get(key) as { agent: Agent }).agent)
        )
        for (const key of keys) {
          const memory = followed.get(key)
          const mark = marks.get(key) ?? ''
          if (memory === undefined || memory.mark === mark) continue
          memory.mark = mark
          for (const changed of [...memory.changed]) changed()
        }
      }
    } catch (error) {
      // Heard again within a second.
      log.warn({ err: kernel.ports.loggableFault(error) }, 'memory not looked at')
    } finally {
      reading = false
    }
  }

  return {
    follow(agent: Agent, mark: string, changed: () => void): () => void {
      const key = memoryOf(agent)
      const look = () => {
        due.add(key)
        void read()
      }
      const memory = followed.get(key) ?? {
        agent,
        mark,
        changed: new Set(),
        stop: events.subscribe(memoryTopic(agent.workspace, agent.agent_id), look)
      }
      // The others may not have been told of what lies between their mark and this one.
      if (memory.mark !== mark) for (const each of memory.changed) each()
      memory.mark = mark
      followed.set(key, memory)
      memory.changed.add(changed)
      look()
      return () => {
        memory.changed.delete(changed)
        if (memory.changed.size > 0 || followed.get(key) !== memory) return
        memory.stop()
        followed.delete(key)
      }
    }
  }
}
