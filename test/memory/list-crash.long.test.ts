import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { crashAfter, writeLate } from '../support/reused-numbers.js'
import { ownServer } from '../support/own-server.js'
import { post, until } from '../support/rest.js'

t.test('a page of list_memory after a crash has what was written under a number that was given before it', async t => {
  const server = await ownServer(t)
  await writeLate(server)
  const { url } = await runProgram(t, ['serve'], environment(server.url))
  const set = async (key: string, value: string) =>
    until(key, async () => (await post(url, 'set_memory', { key, value })).status === 200)
  const page = async (cursor?: string) => {
    const { entries, next_cursor } = await post(url, 'list_memory', { limit: 2, cursor })
    return { keys: entries.map(({ key }: { key: string }) => key), next_cursor }
  }
  let first: Awaited<ReturnType<typeof page>> | undefined
  const crash = () =>
    crashAfter(server, async mark => {
      for (const key of ['a', 'b', 'c', 'd']) await set(key, 'before')
      await mark()
      first = await page()
    })
  while (!(await crash()));
  t.same(first?.keys, ['d', 'c'])
  await set('a', 'after')
  t.same((await page(first?.next_cursor)).keys, ['b', 'a'])
})
