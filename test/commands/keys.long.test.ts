import t from 'tap'
import { environment, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { post, until } from '../support/rest.js'

/** The command keys, as a process, beside a server that takes no other keys: how somebody begins who has none. */
t.test('the first key is made by command, listed, used, and revoked', async t => {
  // Nothing is there yet, not even tables.
  const { url, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  const { API_KEY: _none, ADMIN_API_KEY: _neither, ...env } = environment(url, { SHARED_API_KEY: 'off' })
  const keys = (...args: string[]) => runToEnd(['keys', ...args], env)

  const first = await keys('create', '--agent', 'boss', '--type', 'human', '--permissions', 'read,write,admin')
  t.match(first, {
    code: 0,
    stdout: /^\S+\n$/,
    stderr:
      /key_[0-9a-f]{16} in the workspace default, for boss \(human\): read, write, admin\. The key is shown only once\./
  })
  const boss = first.stdout.trim()

  const server = await runProgram(t, ['serve'], env)
  const as = (api_key: string, agent?: string) => ({ key: api_key, ...(agent !== undefined && { agent }) })
  t.equal((await post(server.url, 'list_sessions', {}, { agent: 'boss' })).status, 401, 'no shared key is taken')
  const { session_id } = await post(server.url, 'create_session', { purpose: 'work' }, as(boss, 'boss'))
  t.match(session_id, /^session_/)

  const limited = await keys(
    'create',
    '--agent',
    'research-*',
    '--type',
    'helper',
    '--permissions',
    'read',
    '--sessions',
    session_id,
    '--expires-in',
    '3600'
  )
  t.match(limited, { code: 0, stderr: /for research-\* \(helper\): read\./ })
  const research = limited.stdout.trim()
  t.equal((await post(server.url, 'get_session', { session_id }, as(research, 'research-1'))).status, 200)
  t.match(await post(server.url, 'get_session', { session_id }, as(research, 'boss')), { code: 'PERMISSION_DENIED' })
  t.match(await post(server.url, 'add_message', { session_id, content: 'x' }, as(research, 'research-1')), {
    code: 'PERMISSION_DENIED'
  })
  t.match(await keys('create', '--agent', 'a', '--type', 't', '--workspace', 'acme'), {
    code: 0,
    stderr: /in the workspace acme/
  })

  const listed = async (...args: string[]) =>
    (await keys('list', '--json', ...args)).stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  const all = await listed()
  t.match(
    all.sort((a, b) => String(a.agent_id).localeCompare(String(b.agent_id))),
    [
      {
        agent_id: 'boss',
        agent_type: 'human',
        permissions: ['read', 'write', 'admin'],
        sessions: null,
        expires_at: null,
        revoked_at: null
      },
      { agent_id: 'research-*', permissions: ['read'], sessions: [session_id], expires_at: /^2/, revoked_at: null }
    ]
  )
  t.notMatch(JSON.stringify(all), new RegExp(`${boss}|${research}`), 'the keys themselves are nowhere')
  t.match(await listed('--workspace', 'acme'), [{ agent_id: 'a' }])

  const key_id = String(all[1]?.key_id)
  t.match(await keys('revoke', key_id, '--workspace', 'acme'), { code: 1, stdout: '' }, 'not by another workspace')
  t.match(await keys('revoke', key_id), { code: 0, stdout: 'revoked\n' })
  t.match(await keys('revoke', key_id), { code: 0, stdout: 'The key was already revoked.\n' })
  await until(
    'the server refuses it',
    async () => (await post(server.url, 'get_session', { session_id }, as(research, 'research-1'))).status === 401
  )
  t.equal((await listed()).length, 1)
  t.equal((await listed('--all')).length, 2)
  const { entries } = await post(server.url, 'get_audit_log', { limit: 100 }, as(boss, 'boss'))
  const told = entries
    .filter(({ action }: { action: string }) => action.startsWith('keys '))
    .map(({ action, event_type, agent_id }: Record<string, unknown>) => [action, event_type, agent_id])
    .reverse()
  t.same(
    told,
    [
      ['keys create', 'api_key_created', null],
      ['keys create', 'api_key_created', null],
      ['keys revoke', 'api_key_revoked', null],
      ['keys revoke', 'api_key_revoked', null]
    ],
    'each with its audit row'
  )
  t.notMatch(server.output(), new RegExp(`${boss}|${research}`))

  const shown = (await keys('list', '--all')).stdout.split('\n')
  t.match(shown[0], /^KEY +AGENT +TYPE +PERMISSIONS +SESSIONS +CREATED +ENDS$/, 'a table for people')
  t.match(shown.join('\n'), /research-\* +helper +read +1 +2.* +revoked 2/)

  await Promise.all(
    (
      [
        [['list', '--workspace', 'acne'], /There is no workspace 'acne'\. Did you mean acme\?/],
        [['revoke', key_id, '--workspace', 'nobodys'], /There is no workspace 'nobodys'/],
        [['create', '--agent', 'a', '--type', 't', '--sessions', 'session_0000000000000000'], /session/i],
        [['revoke', 'key_0000000000000000'], /key/i]
      ] as const
    ).map(async ([args, stderr]) => t.match(await keys(...args), { code: 1, stdout: '', stderr }, args.join(' ')))
  )
  t.equal(await server.stop(), 0)
})
