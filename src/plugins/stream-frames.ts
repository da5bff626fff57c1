import type { Change } from '../db/feed.js'
import type { WorkspaceChange } from '../db/workspace-feed-live.js'

/** Server-sent events as bytes. Streams that are told the same list of changes write the same bytes, which are made once. */

/** No line break can be in the data: JSON escapes them. */
export function frame (event: string, data: unknown, id?: string | number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/** A line that clients skip: it keeps proxies from taking the connection for dead. */
export const HEARTBEAT = Buffer.from(': \n\n')

const ofSession = new WeakMap<readonly Change[], Buffer>()
const ofWorkspace = new WeakMap<readonly WorkspaceChange[], Buffer>()

export function sessionFrames (changes: readonly Change[]): Buffer {
  return once(ofSession, changes, change => frame(change.type, change, change.seq))
}

export function workspaceFrames (changes: readonly WorkspaceChange[]): Buffer {
  return once(ofWorkspace, changes, ({ session_id, change, place }) => frame(change.type, { session_id, ...change }, place))
}

function once<T> (made: WeakMap<readonly T[], Buffer>, changes: readonly T[], write: (change: T) => string): Buffer {
  let bytes = made.get(changes)
  if (bytes === undefined) made.set(changes, bytes = Buffer.from(changes.map(write).join('')))
  return bytes
}
