import t from 'tap'
import { newSession, ok, startApp } from '../helper.js'

/** Questions and sentences, words in other forms, and what models ask for besides. */

const app = await startApp(t)

async function sessionOf(contents: string[]): Promise<string> {
  const session_id = await newSession(app)
  for (let i = 0; i < contents.length; i += 50)
    await ok(app, 'add_messages', { session_id, messages: contents.slice(i, i + 50).map(content => ({ content })) })
  return session_id
}

async function found(session_id: string, query: string, more: Record<string, unknown> = {}): Promise<string[]> {
  const { results } = await ok(app, 'search_context', { session_id, query, ...more })
  return results.map((result: any) => result.message.content)
}

const talk = [
  'Hey, how have you been?',
  'I went to a support group yesterday and it was powerful.',
  'What happened there?',
  'The stories were inspiring, and I felt accepted.',
  'My kids painted a sunrise over the lake last weekend.',
  'We are planning to go camping next month.',
  'The gateway was deployed to production on Monday.',
  'Somebody should migrate the billing database.'
]

t.test('a question finds the message that covers most of it, and one that nothing answers finds nothing', async t => {
  const session_id = await sessionOf(talk)
  t.equal((await found(session_id, 'When did she go to the support group?'))[0], talk[1])
  t.equal((await found(session_id, 'Who painted the sunrise with the children?'))[0], talk[4])
  t.equal((await found(session_id, 'when are they going to camp in the mountains'))[0], talk[5])
  t.same(await found(session_id, 'Which violin did the orchestra tune before the concert?'), [])
})

t.test('words are found in other forms', async t => {
  const session_id = await sessionOf([...talk, 'Die Häuser wurden gestern von uns gebaut und nicht verkauft'])
  t.equal((await found(session_id, 'deployment gateways'))[0], talk[6])
  t.equal((await found(session_id, 'migrating databases'))[0], talk[7])
  t.equal((await found(session_id, 'deploying'))[0], talk[6])
  t.equal((await found(session_id, 'gebauten Häusern')).length, 1)
})

t.test('threshold 0 ranks what there is', async t => {
  const session_id = await sessionOf(talk)
  t.equal((await found(session_id, 'gateway violin', { fuzzy_threshold: 0 }))[0], talk[6])
  t.same(await found(session_id, 'gateway violin'), [])
})

t.test('common words find something too', async t => {
  const session_id = await sessionOf([
    ...talk,
    ...Array.from({ length: 60 }, (_, i) => `the plan of step ${i} is in the file`)
  ])
  for (const query of ['the to and of a in is it you that', 'what is the', 'the plan step file', 'of the'])
    t.ok((await found(session_id, query)).length > 0, query)
})

t.test('a phrase of small words is found wherever it is', async t => {
  const session_id = await sessionOf([
    'to be or not to be',
    ...Array.from({ length: 1100 }, (_, i) => `it is not to be in the file ${i}`)
  ])
  t.equal((await found(session_id, 'to be or not to be'))[0], 'to be or not to be')
})

t.test('a misspelt identifier is found where none stands as given', async t => {
  const session_id = await sessionOf([
    'load edit_dataset_97 now',
    'load edit_dataset_98 now',
    'use llama-v2-pro for it'
  ])
  t.same(await found(session_id, 'eit_dataset_97'), ['load edit_dataset_97 now'])
  t.same(await found(session_id, 'llama-v-pro'), ['use llama-v2-pro for it'])
  t.same(await found(session_id, 'edit_dataset_99'), [], 'digits are as given')
})

t.test('word_similarity changes the ranking', async t => {
  const session_id = await sessionOf(['walrus harbour lantern', 'lantern of a walrus by some far harbour'])
  const { results } = await ok(app, 'search_context', { session_id, query: 'harbour walrus lantern' })
  t.same(results.length, 2)
  t.ok(results.every((result: any) => result.score < 100))
  t.not(results[0].score, results[1].score, 'both hold all words')
})

t.test('messages beside a result come with it, as the viewer may see them', async t => {
  const session_id = await newSession(app)
  for (const [content, visibility] of [
    ['one', 'public'],
    ['hidden', 'private'],
    ['the needle', 'public'],
    ['three', 'public'],
    ['four', 'public']
  ])
    await ok(app, 'add_message', { session_id, content, visibility })
  const ask = (context: number) =>
    ok(app, 'search_context', { session_id, query: 'needle', context }, { agent_id: 'other', agent_type: 'other' })
  const [result] = (await ask(1)).results
  const contents = (messages: any[]) => messages.map(({ content }) => content)
  t.same([contents(result.before), contents(result.after)], [['one'], ['three']])
  t.same(contents((await ask(5)).results[0].after), ['three', 'four'])
  t.notOk('before' in (await ask(0)).results[0])
})

t.test('max_tokens bounds the messages of an answer, whole ones, and says so', async t => {
  const session_id = await sessionOf(['needle '.repeat(20), 'needle b', 'needle c'])
  const ask = (max_tokens?: number) => ok(app, 'search_context', { session_id, query: 'needle', max_tokens })
  t.match(await ask(5), { truncated: true, message_count: 2 })
  t.match(await ask(100), { truncated: false, message_count: 3 })
  t.notOk('truncated' in (await ask()))
})

t.test('explain says which words counted', async t => {
  const session_id = await sessionOf(talk)
  const ask = (explain: boolean) =>
    ok(app, 'search_context', { session_id, query: 'camping mountains next', explain, fuzzy_threshold: 0 })
  const [result] = (await ask(true)).results
  t.match(result.terms, [
    { term: 'camping', met: 1 },
    { term: 'mountains', met: 0 },
    { term: 'next', met: 1 }
  ])
  t.ok(result.terms[1].weight > result.terms[0].weight, 'what is nowhere is rarer')
  t.notOk('terms' in (await ask(false)).results[0])
})
