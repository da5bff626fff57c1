import type { Bench, Finding } from '../kit/bench.js'
import { CONNECTIONS, post, rest, senders, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { startService } from '../kit/service.js'
import { served } from './with.js'

const KEYS = 100

/** A tool's call against the least that a Node service with tokens and PostgreSQL has to do. */
export async function getMemory(bench: Bench): Promise<Finding> {
  const { service, database, tokens, end } = await served(bench, 'get_memory')
  const bare = await startService(bench.program, bench.cleanup, {
    database_url: database.url,
    entry: 'bench/programs/bare-memory.js'
  })
  await database.query(
    `
    insert into agent_memory (workspace, agent_id, session_id, key, value, metadata, value_size)
    select 'default', 'agent-' || agent, '', 'state ' || key, value, '{"kind": "state"}', octet_length(value::text)
    from generate_series(0, $1::int - 1) agent, generate_series(0, $2::int - 1) key,
         lateral (select jsonb_build_object('step', key, 'agent', agent, 'done', jsonb_build_array('read', 'plan', 'write'), 'note', repeat('what comes next ', 10)) as value) made`,
    [CONNECTIONS, KEYS]
  )
  await database.query('vacuum analyze agent_memory')
  const key = (n: number) => ({ key: `state ${(n * 37) % KEYS}` })
  await bench.load.prepare('tool', {
    senders: senders(service.port, (connection, n) => rest('get_memory', key(n), tokens[connection] as string)),
    expect: SUCCESS
  })
  await bench.load.prepare('bare', {
    senders: senders(bare.port, (connection, n) => post('/memory', key(n), tokens[connection])),
    expect: SUCCESS
  })
  const measured = await alternate(bench, [
    loadSide(bench, 'get_memory', 'tool', [service]),
    loadSide(bench, 'bare route', 'bare', [bare])
  ])
  await bare.stop()
  await end()
  return {
    rows: [
      ratioRow(
        'get_memory ÷ a bare Fastify route with the same JWT check and one prepared read',
        measured,
        'get_memory',
        'bare route',
        0.8
      )
    ],
    notes: sideNotes(measured).map(note => `get-memory: ${note}`)
  }
}
