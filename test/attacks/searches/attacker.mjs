// A process of its own: many agents with one ordinary key, who search without a pause for what is dear to find.
import { Agent, request } from 'node:http'

const { port, key, session_id, queries, agents, ms } = JSON.parse(process.argv[2])
const end = Date.now() + ms
const connections = new Agent({ keepAlive: true })
const answers = {}

function search(agent, query) {
  const body = JSON.stringify({ session_id, query, limit: 100 })
  return new Promise(resolve => {
    const sent = request(
      {
        agent: connections,
        host: '127.0.0.1',
        port,
        path: '/mcp/tool/search_context',
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'x-api-key': key,
          'x-agent-id': agent
        }
      },
      response => {
        response.resume().on('end', () => resolve(String(response.statusCode)))
      }
    )
    sent.on('error', ({ code }) => resolve(code))
    sent.end(body)
  })
}

await Promise.all(
  Array.from({ length: agents }, async (_, i) => {
    for (let n = i; Date.now() < end; n++) {
      const what = await search(`hostile-${i}`, queries[n % queries.length])
      answers[what] = (answers[what] ?? 0) + 1
      // Who is refused is told to wait a second. These do not.
      if (what !== '200') await new Promise(resolve => setTimeout(resolve, 50))
    }
  })
)
connections.destroy()
process.stdout.write(JSON.stringify(answers))
