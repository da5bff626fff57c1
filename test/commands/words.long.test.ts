import t from 'tap'
import { runToEnd } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'

/** How the program takes its words: what is wrong with them, how it is called, and with what it exits. */

t.jobs = 4

/** Wrong words, and what the program says of them. */
const WRONG: Array<[words: string[], says: RegExp]> = [
  [['dance'], /There is no command 'dance'\. The commands are: serve, /],
  [['serv'], /Did you mean serve\?/],
  [['help', 'dance'], /There is no command 'dance'/],
  [['serve', 'now'], /'now' is one word too many/],
  [['serve', '--port', '99999'], /There is no option --port\. Set the environment variable PORT instead/],
  [['--http-port=1'], /Set the environment variable HTTP_PORT instead/],
  [['mcp', '--agent-id', 'ada'], /AGENT_ID instead/],
  [['openapi', '--json'], /There is no option --json/],
  [['migrate', 'sideways'], /'sideways' is none of up, down, status[^]*migrate down \[--yes\]/],
  [['keys'], /Say what to do: create, list, revoke[^]*keys create --agent <agent_id> --type <agent_type>/],
  [['keys', 'creat'], /Did you mean create\?/],
  [['keys', 'create'], /Missing: --agent <agent_id>, --type <agent_type>/],
  [['keys', 'create', '--agent', 'a'], /Missing: --type <agent_type>/],
  [['keys', 'create', '--agent', '--type', 't'], /--agent needs a value/],
  [['keys', 'create', '--agnt', 'a'], /There is no option --agnt\. Did you mean --agent\?/],
  [['keys', 'create', '--agent', 'a', '--agent', 'b', '--type', 't'], /--agent is there twice/],
  [['keys', 'create', '--agent', 'a', '--type', 't', '--permissions', 'all'], /--permissions must be one of read, /],
  [['keys', 'create', '--agent', 'a'.repeat(101), '--type', 't'], /--agent must be /],
  [['keys', 'create', '--agent', 'a', '--type', 't', '--expires-in', 'soon'], /--expires-in must be /],
  [['keys', 'list', '--all=yes'], /--all takes no value/],
  [['keys', 'revoke'], /Missing: <key_id>/],
  [['audit', 'burn'], /audit verify \[--workspace <name>\] \[--heads <file>\]/],
  [['session', 'export'], /Missing: <session_id>/],
  [['message', 'add', 'session_0000000000000000', '-5 degrees'], /There is no option -5\. Write -- before words that/],
  [['inbox', ''], /'' is one word too many/],
  [['tail', '--lines', '3'], /--lines needs --session/],
  [['retention', 'set'], /Missing: <days>/],
  [['retention', 'set', '36501'], /<days> must be a whole number from 0 to 36500/],
  [['retention', 'audit', 'set', 'x'], /<days> must be a whole number[^]*retention audit set <days>/],
  [['retention', '90'], /'90' is none of show, set, default/],
  [['retention', 'show', '3'], /'3' is one word too many/],
  [['retention', '--days'], /There is no option --days/],
  [['erase-agent'], /Missing: <agent_id>/],
  [['erase-agent', 'a'.repeat(101)], /<agent_id> must be/]
]

for (const [words, says] of WRONG)
  t.test(words.map(word => word.slice(0, 20)).join(' '), async t => {
    const { code, stdout, stderr } = await runToEnd(words, {})
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, says)
    if (!stderr.startsWith('There is no command'))
      t.match(stderr, /Usage: shared-context-server .*[^]*--help" explains it/)
    t.notMatch(stderr, /\.js:\d+/, 'no stack')
  })

t.test('every command and every verb says how it is called, without an environment, and does nothing else', async t => {
  const { stdout } = await runToEnd(['help'], {})
  const names = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => name as string)
  t.ok(names.length >= 9)
  for (const name of names) {
    const { code, stdout, stderr } = await runToEnd([name, '--help'], {})
    t.match({ code, stderr }, { code: 0, stderr: '' }, name)
    t.match(stdout, new RegExp(`Usage: shared-context-server ${name}\\b`))
    t.match(stdout, /-h, --help {2,}show this text/)
    t.ok(
      stdout.split('\n').every(line => line.length <= 100 || /^ {2}[A-Z_]+ /.test(line)),
      `${name}: lines fit`
    )
  }
  for (const words of [
    ['keys', 'create', '--agent', 'a', '--help'],
    ['help', 'keys', 'create']
  ]) {
    const { stdout } = await runToEnd(words, {})
    t.match(stdout, /--agent <agent_id> {2,}whom it is for[^]*\(required\)/)
    t.notMatch(stdout, /keys revoke/, 'only what was asked for')
  }
  t.match(await runToEnd(['erase-agent', '-h'], {}), { code: 0, stdout: /--yes {2,}do it without asking/ })
  t.match(await runToEnd(['--version'], {}), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('an option that verbs of a command take differently is explained for each', async t => {
  const { stdout } = await runToEnd(['session', '--help'], {})
  t.match(stdout, /--limit <number> {2,}list: at most so many; default: 20$/m)
  t.match(stdout, /--limit <number> {2,}show: at most so many messages, 0 to 200; default: 20$/m)
  t.match(stdout, /--json {2,}print JSON, one object on each line$/m, 'what they take alike is there once')
  t.match((await runToEnd(['session', 'show', '--help'], {})).stdout, /--limit <number> {2,}at most so many messages/)
})

t.test('a command that works on what is there makes no database', async t => {
  const folder = await temporaryFolder(t)
  for (const words of [['keys', 'list'], ['retention'], ['erase-agent', 'ada'], ['audit', 'verify']]) {
    const { code, stderr } = await runToEnd(words, { DATA_DIR: `${folder}/none` })
    t.match({ code, stderr }, { code: 1, stderr: /There are no data in .*\/none\. Set DATA_DIR or DATABASE_URL/ })
  }
})
