import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runProgram, runToEnd } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'
import { post } from '../support/rest.js'

t.jobs = 3

/** The program as a newcomer runs it, with its own PostgreSQL, killed without warning in the middle of writing. */
t.test('what was acknowledged is there after kill -9', async t => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' }
  let program = await runProgram(t, ['serve'], env)
  const { api_key: key } = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as { api_key: string }
  const { session_id } = await post(program.url, 'create_session', { purpose: 'durability' }, { key })
  const acknowledged = new Set<number>()
  const words = new Map<number, string>()

  for (const round of [1, 2]) {
    let killed = false
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !killed; n++) {
        try {
          const word = wordOf(round * 1e6 + writer * 1e5 + n)
          const answer = await post(
            program.url,
            'add_message',
            { session_id, content: `round ${round} writer ${writer} message ${n} about ${word}` },
            { key, agent: `writer-${writer}` }
          )
          if (answer.success === true) {
            acknowledged.add(answer.message_id)
            words.set(answer.message_id, word)
          }
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

  const present: Array<{ id: number; seq: number }> = []
  for (let after_seq = 0, more = true; more;) {
    const page = await post(program.url, 'get_messages', { session_id, after_seq, limit: 1000 }, { key })
    present.push(...page.messages)
    after_seq = page.last_seq
    more = page.has_more
  }
  const ids = new Set(present.map(message => message.id))
  t.same(
    [...acknowledged].filter(id => !ids.has(id)),
    [],
    `${acknowledged.size} acknowledged messages are there`
  )
  t.same(
    present.map(message => message.seq),
    present.map((_, i) => i + 1),
    'seq has no gap'
  )

  // The program that was killed was also filling the search index.
  for (const [id, word] of [...words].filter((_, i) => i % 7 === 0)) {
    const misspelt = word.slice(0, 4) + word.charAt(5) + word.charAt(4) + word.slice(6)
    const { results } = await post(program.url, 'search_context', { session_id, query: misspelt, limit: 100 }, { key })
    if (!results.some((result: any) => result.message.id === id)) t.fail(`message ${id} is not found by "${misspelt}"`)
  }
  t.equal(await program.stop('SIGTERM'), 0, 'and it stops cleanly')
})

/** A word of ten letters that stands in no other message. */
function wordOf(n: number): string {
  let word = ''
  for (let i = 0, rest = n * 7919 + 104729; i < 5; i++, rest = Math.floor(rest / 85))
    word += 'bdfgklmnprstvxzqw'.charAt(rest % 17) + 'aeiou'.charAt(Math.floor(rest / 17) % 5)
  return word
}

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
