import type { Change } from '../feed/store/feed.js'
import type { WorkspaceChange } from '../feed/store/followed-workspace.js'

/**
 * Server-sent events as bytes. Streams that are told the same list of changes write the same bytes, which are made
 * once.
 */

/** What JSON leaves as it is and Python's splitlines, and so clients made with it, take for the end of a line. */
const OTHER_BREAKS = /[\u0085\u2028\u2029]/g

/** No line break can be in the data: JSON escapes them, the others are escaped here. */
export function frame(event: string, data: unknown, id?: string | number): string {
  const json = JSON.stringify(data).replace(
    OTHER_BREAKS,
    found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`
}

/** A line that clients skip: it keeps proxies from taking the connection for dead. */
export const HEARTBEAT = Buffer.from(': \n\n')

const ofSession = new WeakMap<readonly Change[], Buffer>()
const ofWorkspace = new WeakMap<readonly WorkspaceChange[], Buffer>()

export function sessionFrames(changes: readonly Change[]): Buffer {
  return once(ofSession, changes, change => frame(change.type, change, change.seq))
}

export function workspaceFrames(changes: readonly WorkspaceChange[]): Buffer {
  return once(ofWorkspace, changes, ({ session_id, change, place }) =>
    frame(change.type, { session_id, ...change }, place)
  )
}

function once<T>(made: WeakMap<readonly T[], Buffer>, changes: readonly T[], write: (change: T) => string): Buffer {
  let bytes = made.get(changes)
  if (bytes === undefined) made.set(changes, (bytes = Buffer.from(changes.map(write).join(''))))
  return bytes
}
