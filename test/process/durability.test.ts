import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runProgram, runToEnd } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'
import { post } from '../support/rest.js'

/** The program as a newcomer runs it, with its own PostgreSQL, killed without warning in the middle of writing. */
t.test('what was acknowledged is there after kill -9', async t => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' }
  let program = await runProgram(t, ['serve'], env)
  const { api_key: key } = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as { api_key: string }
  const { session_id } = await post(program.url, 'create_session', { purpose: 'durability' }, { key })
  const acknowledged = new Set<number>()

  for (const round of [1, 2]) {
    let killed = false
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !killed; n++) {
        try {
          const answer = await post(program.url, 'add_message', { session_id, content: `round ${round} writer ${writer} message ${n}` }, { key, agent: `writer-${writer}` })
          if (answer.success === true) acknowledged.add(answer.message_id)
        } catch {
          // The connection broke: not acknowledged.
        }
      }
    })
    const enough = acknowledged.size + 150
    while (acknowledged.size < enough) await new Promise(resolve => setTimeout(resolve, 5))
    t.equal(await program.stop('SIGKILL'), 'SIGKILL')
    killed = true
    await Promise.all(writers)
    program = await runProgram(t, ['serve'], env)
  }

  const present: Array<{ id: number, seq: number }> = []
  for (let after_seq = 0, more = true; more;) {
    const page = await post(program.url, 'get_messages', { session_id, after_seq, limit: 1000 }, { key })
    present.push(...page.messages)
    after_seq = page.last_seq
    more = page.has_more
  }
  const ids = new Set(present.map(message => message.id))
  t.same([...acknowledged].filter(id => !ids.has(id)), [], `${acknowledged.size} acknowledged messages are there`)
  t.same(present.map(message => message.seq), present.map((_, i) => i + 1), 'seq has no gap')
  t.equal(await program.stop('SIGTERM'), 0, 'and it stops cleanly')
})

t.test('a second serve on the same folder is refused and names the first', async t => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' }
  const first = await runProgram(t, ['serve'], env)
  await t.rejects(runProgram(t, ['serve'], env), { message: new RegExp(`${first.process.pid}`) })
  t.equal(await first.stop(), 0)
})

t.test('other commands join the running PostgreSQL', async t => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' }
  const program = await runProgram(t, ['serve'], env)
  t.match(await runToEnd(['migrate', 'status'], env), { code: 0, stdout: /applied +0001/ })
  t.equal((await fetch(`${program.url}/health`)).status, 200, 'and leave it running')
})
