import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ADMIN_API_KEY, API_KEY, listen, newSession, ok, ROOT, startApp } from '../helper.js'

interface Run { code: number | null, stdout: string, stderr: string }

async function run (program: string, args: string[], { cwd = ROOT, env = {} }: { cwd?: string, env?: Record<string, string> } = {}): Promise<Run> {
  return new Promise(resolve => {
    // No model's key: the examples then use their scripted answers.
    const { OPENAI_API_KEY: _key, ...inherited } = process.env
    const child = execFile(program, args, { cwd, timeout: 120_000, env: { ...inherited, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr })
    })
    child.stdin?.end()
  })
}

const EXAMPLES: Array<{ file: string, args?: string[], imports: string[], prints: RegExp }> = [
  { file: 'custom_agent.py', imports: ['httpx'], prints: /granted: read, write\nfound: Shelf 7 is damaged.*\nrun number 1\nrefused: PERMISSION_DENIED\n/ },
  { file: 'sequential.py', imports: ['httpx'], prints: /^researcher: .*\nwriter: Draft .*\neditor: Final text of: Draft .*\n$/ },
  { file: 'parallel.py', imports: ['httpx'], prints: /^analyst-delivery .*\nanalyst-prices .*\nanalyst-returns .*\nanalyst-reviews .*\n$/ },
  { file: 'coordinator_worker.py', imports: ['httpx'], prints: /3 of 3 chapters/ },
  { file: 'coordinator_worker.py', args: ['12'], imports: ['httpx'], prints: /12 of 12 chapters/ },
  { file: 'event_stream.py', imports: ['httpx'], prints: /^1 Aurora has arrived\n2 Borealis has arrived\n3 Cassiopeia has arrived\nthe connection is lost\n4 Draco has arrived\n5 Eridanus has arrived\n6 Fornax has arrived\n7 the day is over\n$/ },
  { file: 'autogen_team.py', imports: ['httpx', 'autogen_agentchat', 'autogen_ext'], prints: /Octopuses have three hearts. DONE\nresearcher: Octopuses have three hearts\n/ },
  { file: 'crewai_crew.py', imports: ['httpx', 'crewai'], prints: /analyst: Mornings are the busiest time\nplanner: Put two people/ },
  { file: 'langchain_memory.py', imports: ['httpx', 'langchain_core'], prints: /human: Where shall we sit\?\nai: .*\nhuman: .*\nai: Bring a blanket.\n/ }
]

test('the examples in Python run', async t => {
  const url = await listen(await startApp(t))
  const home = await mkdtemp(join(tmpdir(), 'scs-examples-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const env = {
    SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: API_KEY, PYTHONDONTWRITEBYTECODE: '1', CREWAI_DISABLE_TELEMETRY: 'true', OTEL_SDK_DISABLED: 'true', CREWAI_STORAGE_DIR: home
  }
  for (const { file, args = [], imports, prints } of EXAMPLES) {
    const there = await run('python3', ['-c', `import ${imports.join(', ')}`])
    if (there.code !== 0) {
      t.comment(`${file} did not run: python3 cannot import ${imports.join(', ')} here`)
      continue
    }
    const { code, stdout, stderr } = await run('python3', [join(ROOT, 'examples', 'python', file), ...args], { cwd: home, env })
    t.equal(code, 0, `${file} ${args.join(' ')}`, { stdout, stderr })
    t.match(stdout, prints, file)
  }
})

test('the Python of the README runs', async t => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const program = /^```python\n([^]*?)^```$/m.exec(readme)?.[1]
  t.ok(program)
  if ((await run('python3', ['-c', 'import httpx'])).code !== 0) return t.comment('It did not run: python3 cannot import httpx here')
  const url = await listen(await startApp(t))
  const { code, stdout, stderr } = await run('python3', ['-c', program ?? ''], { env: { SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: API_KEY } })
  t.equal(code, 0, 'it ends well', { stderr })
  t.match(stdout, /^100(\.0)? ada Hello from Python\n\d+\n$/)
})

test('the curl commands of the README run, in their order', async t => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const chapter = /^## Five minutes with curl\n([^]*?)^## /m.exec(readme)?.[1] ?? ''
  const blocks = [...chapter.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block)
  t.equal(blocks.length, 9)
  for (const needed of ['curl', 'sh']) {
    if ((await run(needed, needed === 'curl' ? ['--version'] : ['-c', 'true'])).code !== 0) return t.comment(`They did not run: ${needed} is not here`)
  }
  const url = await listen(await startApp(t))
  // What a reader has after npm start: the folder with the generated keys. Only the port is another one.
  const folder = await mkdtemp(join(tmpdir(), 'scs-readme-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'data', 'secrets.json'), JSON.stringify({ api_key: API_KEY, admin_api_key: ADMIN_API_KEY }))
  t.ok(blocks[0]?.includes('http://127.0.0.1:23456'))
  const script = blocks.join('echo; echo "-- next"\n').replaceAll('http://127.0.0.1:23456', url)
  const { code, stdout, stderr } = await run('sh', ['-eu', '-c', script], { cwd: folder })
  t.equal(code, 0, 'they end well', { stderr })

  const answers = stdout.split('-- next\n').map(part => [...part.matchAll(/\{"success".*?\}(?=\{"success"|\s|$)/gs)].map(([text]) => JSON.parse(text)))
  const [, , , written = [], read = [], waited = [], found = [], remembered = [], refused = []] = answers
  t.match(written, [{ success: true, message_id: Number }, { success: true, message_id: Number }])
  t.match(read, [{ success: true, count: 1, messages: [{ sender: 'ada', content: 'The price is rounded before tax', metadata: { severity: 'high' } }] }])
  t.match(waited, [{ success: true, count: 1, timed_out: false, messages: [{ content: 'The price is rounded before tax' }] }])
  t.match(found, [{ success: true, results: [{ message: { sender: 'ada' } }] }])
  t.match(remembered, [{ success: true, key: 'next step' }, { success: true, value: { page: 'checkout', line: 42 } }])
  t.match(refused, [{ success: false, code: 'INVALID_INPUT', context: { argument: 'text' } }])
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
  const { stdout } = await run('sh', ['-c', command ?? ''], { env: { CURL_HOME: home, URL: url, KEY: API_KEY, SESSION: session_id } })
  t.match(stdout, new RegExp(`^retry: \\d+\nid: 0\nevent: start\ndata: {"session_id":"${session_id}","last_seq":0}\n\nid: 1\nevent: message_added\ndata: {"seq":1,"type":"message_added","message":{"id":1,.*"sender":"ada"`))
})
