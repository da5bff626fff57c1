import type { Topic } from '../../kernel/events.js'

/** PostgreSQL takes payloads below 8000 bytes. */
const PAYLOAD_MAX = 7900

/** `<sender> <topics as JSON>`, in as many payloads as are needed. */
export function payloadsOf(sender: string, topics: readonly Topic[]): string[] {
  const found: string[] = []
  let part: Topic[] = []
  let bytes = 0
  for (const topic of topics) {
    const more = Buffer.byteLength(JSON.stringify(topic)) + 1
    if (part.length > 0 && bytes + more > PAYLOAD_MAX - sender.length - 3) {
      found.push(`${sender} ${JSON.stringify(part)}`)
      part = []
      bytes = 0
    }
    part.push(topic)
    bytes += more
  }
  return [...found, `${sender} ${JSON.stringify(part)}`]
}

/** Anybody who may use the database may notify: a payload of another form has no topics. */
export function topicsIn(payload: string): Topic[] {
  try {
    const topics = JSON.parse(payload.slice(payload.indexOf(' ') + 1)) as unknown
    return Array.isArray(topics) ? (topics.filter(topic => typeof topic === 'string') as Topic[]) : []
  } catch {
    return []
  }
}
