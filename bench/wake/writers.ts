import { Agent, request } from 'node:http'
import { API_KEY } from './replica.js'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

export function call(port: number, tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const body = JSON.stringify(args)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        agent,
        method: 'POST',
        path: `/mcp/tool/${tool}`,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'x-api-key': API_KEY,
          'x-agent-id': 'writer'
        }
      },
      response => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => {
          parts.push(part)
        })
        response.on('error', reject)
        response.on('end', () => {
          const answer = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>
          if (answer.success === true) resolve(answer)
          else reject(new Error(`${tool}: ${JSON.stringify(answer)}`))
        })
      }
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Milliseconds, by the clock that all processes of a machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e6

/**
 * So many a second for so long, whether or not the ones before have been answered. @returns when each was answered, by
 * when it was sent, which is noted in it
 */
export async function writeAtRate(
  port: number,
  sessions: string[],
  rate: number,
  seconds: number
): Promise<Map<number, number>> {
  const began = performance.now()
  const answered = new Map<number, number>()
  const answers: Array<Promise<unknown>> = []
  while (performance.now() < began + seconds * 1000) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate)
    while (answers.length < due) {
      const sent = now()
      answers.push(
        call(port, 'add_message', {
          session_id: sessions[answers.length % sessions.length],
          content: `sent at ${sent.toFixed(6)}`
        }).then(() => answered.set(Number(sent.toFixed(6)), now()))
      )
    }
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await Promise.all(answers)
  return answered
}

/** So many callers, each as fast as it is answered. @returns messages a second */
export async function writeAsFastAsAnswered(
  port: number,
  sessions: string[],
  callers: number,
  seconds: number
): Promise<number> {
  const end = performance.now() + seconds * 1000
  let written = 0
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        await call(port, 'add_message', {
          session_id: sessions[written % sessions.length],
          content: 'a message like many others, of ordinary length'
        })
        written++
      }
    })
  )
  return written / seconds
}
