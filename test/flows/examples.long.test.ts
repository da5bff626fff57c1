import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { API_KEY, listen, newSession, ok, ROOT, startApp } from '../helper.js'
import { run } from '../support/run.js'

const EXAMPLES: Array<{ file: string; args?: string[]; imports: string[]; prints: RegExp }> = [
  {
    file: 'custom_agent.py',
    imports: ['httpx'],
    prints: /granted: read, write\nfound: Shelf 7 is damaged.*\nrun number 1\nrefused: PERMISSION_DENIED\n/
  },
  {
    file: 'sequential.py',
    imports: ['httpx'],
    prints: /^researcher: .*\nwriter: Draft .*\neditor: Final text of: Draft .*\n$/
  },
  {
    file: 'parallel.py',
    imports: ['httpx'],
    prints: /^analyst-delivery .*\nanalyst-prices .*\nanalyst-returns .*\nanalyst-reviews .*\n$/
  },
  { file: 'coordinator_worker.py', imports: ['httpx'], prints: /3 of 3 chapters/ },
  { file: 'coordinator_worker.py', args: ['12'], imports: ['httpx'], prints: /12 of 12 chapters/ },
  {
    file: 'tasks.py',
    imports: ['httpx'],
    prints: /^7 tasks were done by 3 workers, each once; .* submitted, working, completed\n$/
  },
  {
    file: 'hand_over.py',
    imports: ['httpx'],
    prints: /^answer: main\nreviewer got it, said “on it”, and answered\n$/
  },
  {
    file: 'event_stream.py',
    imports: ['httpx'],
    prints: new RegExp(
      '^1 Aurora has arrived\n2 Borealis has arrived\n3 Cassiopeia has arrived\nthe connection is lost\n' +
        '4 Draco has arrived\n5 Eridanus has arrived\n6 Fornax has arrived\n7 the day is over\n$'
    )
  },
  {
    file: 'autogen_team.py',
    imports: ['httpx', 'autogen_agentchat', 'autogen_ext'],
    prints: /Octopuses have three hearts. DONE\nresearcher: Octopuses have three hearts\n/
  },
  {
    file: 'crewai_crew.py',
    imports: ['httpx', 'crewai'],
    prints: /analyst: Mornings are the busiest time\nplanner: Put two people/
  },
  {
    file: 'langchain_memory.py',
    imports: ['httpx', 'langchain_core'],
    prints: /human: Where shall we sit\?\nai: .*\nhuman: .*\nai: Bring a blanket.\n/
  }
]

test('the examples in Python run', async t => {
  const url = await listen(await startApp(t))
  const home = await mkdtemp(join(tmpdir(), 'scs-examples-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const env = {
    SHARED_CONTEXT_URL: url,
    SHARED_CONTEXT_API_KEY: API_KEY,
    PYTHONDONTWRITEBYTECODE: '1',
    CREWAI_DISABLE_TELEMETRY: 'true',
    OTEL_SDK_DISABLED: 'true',
    CREWAI_STORAGE_DIR: home
  }
  for (const { file, args = [], imports, prints } of EXAMPLES) {
    const there = await run('python3', ['-c', `import ${imports.join(', ')}`])
    if (there.code !== 0) {
      t.comment(`${file} did not run: python3 cannot import ${imports.join(', ')} here`)
      continue
    }
    const { code, stdout, stderr } = await run('python3', [join(ROOT, 'examples', 'python', file), ...args], {
      cwd: home,
      env
    })
    t.equal(code, 0, `${file} ${args.join(' ')}`, { stdout, stderr })
    t.match(stdout, prints, file)
  }
})

test('the curl command of the page about event streams shows what is said there', async t => {
  const page = await readFile(join(ROOT, 'docs', 'event-streams.md'), 'utf8')
  const command = /^```sh\n([^]*?)^```$/m.exec(page)?.[1]
  t.ok(command)
  if ((await run('curl', ['--version'])).code !== 0) return t.comment('It did not run: curl is not here')
  const app = await startApp(t)
  const url = await listen(app)
  const session_id = await newSession(app, { agent_id: 'ada' })
  await ok(app, 'add_message', { session_id, content: 'The first' }, { agent_id: 'ada' })
  const home = await mkdtemp(join(tmpdir(), 'scs-curl-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  // The command runs until it is ended.
  await writeFile(join(home, '.curlrc'), 'max-time = 3\nsilent\n')
  const { stdout } = await run('sh', ['-c', command ?? ''], {
    env: { CURL_HOME: home, URL: url, KEY: API_KEY, SESSION: session_id }
  })
  t.match(
    stdout,
    new RegExp(
      `^retry: \\d+\nid: 0\nevent: start\ndata: {"session_id":"${session_id}","last_seq":0}\n\n` +
        'id: 1\nevent: message_added\ndata: ' +
        '{"seq":1,"type":"message_added","message":{"id":1,.*"sender":"ada"'
    )
  )
})
