import pg from 'pg'
import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { administer } from '../support/database.js'
import { ownServer } from '../support/own-server.js'
import { openProxy } from '../support/proxy.js'
import { post, until } from '../support/rest.js'
import { openStream } from './stream-client.js'

/**
 * A transaction that was rolled back is not written to disk at once. If PostgreSQL crashes before that, it gives the
 * number of that transaction to another one.
 */
t.test('a stream of all sessions tells what is written under a number that was given before a crash', async t => {
  const server = await ownServer(t)
  await administer(server.url, "alter system set wal_writer_delay = '10s'", 'select pg_reload_conf()')
  const proxy = await openProxy(t, server.url)
  const writer = await runProgram(t, ['serve'], environment(server.url))
  const reader = await runProgram(t, ['serve'], environment(proxy.url))
  const { session_id } = await post(writer.url, 'create_session', { purpose: 'crash' })
  const add = async (content: string) =>
    until(content, async () => (await post(writer.url, 'add_message', { session_id, content })).status === 200)
  const highest = async () => {
    const [row] = await administer(server.url, 'select pg_snapshot_xmax(pg_current_snapshot())::text as highest')
    return BigInt(row?.highest)
  }
  const stream = await openStream(reader.url, '/mcp/events', { agent_id: 'reader' })
  const told = (content: string) =>
    stream.waitFor(() => stream.changes().some(({ data }) => data.message?.content === content))

  /** @returns whether PostgreSQL gave numbers again. Where another commit has just written all to disk, it does not. */
  const crash = async (round: number): Promise<boolean> => {
    const other = new pg.Client({ connectionString: server.url })
    other.on('error', () => {})
    await other.connect()
    const rollBack = async (): Promise<void> =>
      other
        .query('do $$ begin for n in 1..300 loop perform pg_current_xact_id(); rollback; end loop; end $$')
        .then(rollBack, () => {})
    void rollBack()
    await add(`before ${round}`)
    await told(`before ${round}`)
    const before = await highest()
    // The reader's program comes back when the writer has written.
    proxy.target = 'postgres://127.0.0.1:1/nobody'
    await server.stop('immediate')
    await server.start()
    return (await highest()) < before
  }
  for (let round = 1; !(await crash(round)); round++) proxy.target = server.url
  await add('after')
  proxy.target = server.url
  await told('after')
  stream.close()
})
