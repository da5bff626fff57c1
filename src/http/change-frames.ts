import { feedCursorEncoder } from '../feed/feed-cursor.js'
import type { WorkspaceChange } from '../feed/follow-workspaces.js'
import type { Change } from '../feed/store/feed.js'
import { eventFrame } from './event-frames.js'

/** Changes as server-sent events. Streams that are told the same list of changes send the same bytes, made once. */

const ofSession = new WeakMap<readonly Change[], Buffer>()
const ofWorkspace = new WeakMap<readonly WorkspaceChange[], Buffer>()

export function sessionFrames(changes: readonly Change[]): Buffer {
  return once(ofSession, changes, change => eventFrame(change.type, change, change.seq))
}

/** @param origin names the database in the ids of events */
export function workspaceFrames(origin: string, changes: readonly WorkspaceChange[]): Buffer {
  const idOf = feedCursorEncoder(origin)
  return once(ofWorkspace, changes, ({ session_id, change, cursor }) =>
    eventFrame(change.type, { session_id, ...change }, idOf(cursor))
  )
}

function once<T>(made: WeakMap<readonly T[], Buffer>, changes: readonly T[], write: (change: T) => string): Buffer {
  let bytes = made.get(changes)
  if (bytes === undefined) made.set(changes, (bytes = Buffer.from(changes.map(write).join(''))))
  return bytes
}
