import { isSameName } from '../../kernel/names.js'
import type { FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import { memoryTopic, type Topic } from '../../kernel/events.js'
import type { EndReason } from '../../feed/live.js'
import { versionsOf } from '../../feed/store/topics.js'
import { acrossWorkspaces } from '../../postgres/scope.js'
import type { ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { refOf } from '../resources.js'

/** Notices that resources change, for one who may read them, with the rights it has when they do. */
export interface Watch {
  /** Watches this resource too; a change after this version is told. */
  add: (uri: string, version: ResourceVersion) => void
  remove: (uri: string) => void
  close: () => void
}

export interface Watcher {
  /** Something that the viewer may see has changed. */
  updated: (uri: string) => void
  /** The viewer's rights have ended, or this replica stops. */
  ended: (reason: EndReason) => void
}

/** What is watched, and the URIs that show it: `session://x` and `session://x/messages/5` show the same. */
interface Watched {
  uris: Set<string>
  close: () => void
}

export type Watches = (viewer: Agent, watcher: Watcher) => Watch

export function createWatches(app: FastifyInstance): Watches {
  const { live } = app
  const memories = createMemories(app)

  return (viewer, watcher) => {
    const all = new Map<string, Watched>()
    let closed = false

    function open(key: string, uri: string, version: ResourceVersion): Watched | undefined {
      const ref = refOf(uri)
      if (ref === undefined || ref === 'fixed') return undefined
      const uris = new Set<string>()
      const changed = () => {
        for (const each of uris) watcher.updated(each)
      }
      if ('agent_id' in ref)
        return isSameName(ref.agent_id, viewer.agent_id)
          ? { uris, close: memories.follow(viewer, String(version), changed) }
          : undefined
      const { close } = live.follow(ref.session_id, viewer, Number(version), {
        gathers: true,
        deliver(changes) {
          if (changes.length > 0) changed()
        },
        ended(reason) {
          if (closed) return
          if (reason !== 'session_gone') {
            watcher.ended(reason)
            return
          }
          // A client that reads it now is told that it is not there.
          changed()
          all.delete(key)
        }
      })
      return { uris, close }
    }

    return {
      add(uri, version) {
        const key = keyOf(uri)
        const watched = all.get(key) ?? open(key, uri, version)
        if (closed || watched === undefined) return
        all.set(key, watched)
        watched.uris.add(uri)
      },
      remove(uri) {
        const key = keyOf(uri)
        const watched = all.get(key)
        if (watched === undefined || !watched.uris.delete(uri) || watched.uris.size > 0) return
        all.delete(key)
        watched.close()
      },
      close() {
        closed = true
        for (const watched of all.values()) watched.close()
        all.clear()
      }
    }
  }
}

function keyOf(uri: string): string {
  return JSON.stringify(refOf(uri))
}

/** Watches agents' memories: one statement reads the versions of all for which a hint has come. */
function createMemories({ database, events, kernel }: FastifyInstance) {
  const followed = new Map<Topic, { version: string; changed: Set<() => void>; stop: () => void }>()
  const due = new Set<Topic>()
  let reading = false

  async function read(): Promise<void> {
    if (reading) return
    reading = true
    try {
      while (due.size > 0) {
        const topics = [...due].filter(topic => followed.has(topic))
        due.clear()
        if (topics.length === 0) continue
        for (const [topic, version] of await versionsOf(acrossWorkspaces(database.db), topics)) {
          const memory = followed.get(topic)
          if (memory === undefined || memory.version === version) continue
          memory.version = version
          for (const changed of [...memory.changed]) changed()
        }
      }
    } catch (error) {
      // The next hint comes within a second.
      kernel.ports.logFault(error, 'memory not looked at', {})
    } finally {
      reading = false
    }
  }

  return {
    follow({ workspace, agent_id }: Agent, version: string, changed: () => void): () => void {
      const topic = memoryTopic(workspace, agent_id)
      const look = () => {
        due.add(topic)
        void read()
      }
      const memory = followed.get(topic) ?? { version, changed: new Set(), stop: events.subscribe(topic, look) }
      // The others may not know of what came between their version and this one.
      if (memory.version !== version) for (const each of memory.changed) each()
      memory.version = version
      followed.set(topic, memory)
      memory.changed.add(changed)
      look()
      return () => {
        memory.changed.delete(changed)
        if (memory.changed.size > 0 || followed.get(topic) !== memory) return
        memory.stop()
        followed.delete(topic)
      }
    }
  }
}
