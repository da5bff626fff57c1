import { get, type IncomingMessage } from 'node:http'
import { type As, credentials } from '../helper.js'
import { until } from '../support/until.js'

/** A client of event streams over a socket of its own, which reads only when it is let. */

export interface Event {
  id?: string
  event: string
  data: any
}

export interface StreamClient {
  status: number
  headers: IncomingMessage['headers']
  /** Everything that has come, in its order: `retry` lines and comments apart. */
  events: Event[]
  comments: () => number
  /** The id that a client would resume by. */
  lastId: () => string | undefined
  /** Of the changes alone. */
  changes: () => Event[]
  /** The body of an answer that is no stream. */
  body: () => any
  text: () => string
  waitFor: (is: (events: Event[]) => boolean, what?: string) => Promise<void>
  /** Stops reading from the socket, or goes on. */
  pause: () => void
  resume: () => void
  closed: () => boolean
  close: () => void
}

export async function openStream(base: string, path: string, as: As = {}, lastEventId?: string): Promise<StreamClient> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = get(
      `${base}${path}`,
      {
        agent: false,
        headers: {
          accept: 'text/event-stream',
          ...credentials(as),
          ...(lastEventId !== undefined && { 'last-event-id': lastEventId })
        }
      },
      resolve
    )
    request.on('error', reject)
  })
  const events: Event[] = []
  let text = ''
  let rest = ''
  let comments = 0
  let id: string | undefined
  let closed = false
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map<string, string>()
      for (const line of block.split('\n')) {
        if (line.startsWith(':')) comments++
        else fields.set(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2))
      }
      id = fields.get('id') ?? id
      const data = fields.get('data')
      if (data !== undefined)
        events.push({
          ...(fields.has('id') && { id: fields.get('id') }),
          event: fields.get('event') ?? 'message',
          data: JSON.parse(data)
        })
    }
  })
  response.on('error', () => {})
  response.on('close', () => {
    closed = true
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    comments: () => comments,
    lastId: () => id,
    changes: () => events.filter(({ event }) => !['start', 'position', 'end'].includes(event)),
    body: () => JSON.parse(text) as unknown,
    text: () => text,
    waitFor: (is, what = 'the events') =>
      until(() => is(events), what).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; came: ${JSON.stringify(events).slice(-2000)}`)
      }),
    pause: () => {
      response.pause()
    },
    resume: () => {
      response.resume()
    },
    closed: () => closed,
    close: () => {
      response.destroy()
    }
  }
}
