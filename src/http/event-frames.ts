import { stringify } from '../kernel/json-text.js'
/** Server-sent events as text. */

/**
 * JSON leaves these characters as they are, and clients that split lines by Unicode (Python's splitlines) cut there.
 */
const LINE_BREAKS = /[\u0085\u2028\u2029]/g

/** JSON, or text whose line breaks of Unicode are all inside of JSON, without these. */
export function escapeLineBreaks(json: string): string {
  return json.replace(LINE_BREAKS, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** An event. JSON has its data on one line. */
export function eventFrame(event: string, data: unknown, id?: string | number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${escapeLineBreaks(stringify(data))}\n\n`
}

/** A line that clients skip. */
export function commentFrame(text: string): string {
  return `: ${text}\n\n`
}
