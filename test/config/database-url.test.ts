import t from 'tap'
import { parseDatabaseUrl } from '../../src/config/database-url.js'

t.test('addresses are read as libpq reads them', async t => {
  for (const [url, read] of [
    [
      'postgres://u:pw@/db?host=/path&port=5601',
      { hosts: [{ host: '/path', port: 5601 }], password: 'pw', database: 'db' }
    ],
    ['postgres://u:pw@%2Ftmp%2Fs/db', { hosts: [{ host: '/tmp/s' }] }],
    [
      'postgres://u:p@h1:5432,h2:5433/db',
      {
        hosts: [
          { host: 'h1', port: 5432 },
          { host: 'h2', port: 5433 }
        ],
        target: 'read-write'
      }
    ],
    ['postgres://u:p@[::1]:5432/db', { hosts: [{ host: '::1', port: 5432 }], target: 'any', tls: 'prefer' }],
    ['postgres://u:p%40w%23%25@h/db', { password: 'p@w#%' }],
    ['postgres://h/db?ssl=true', { tls: 'require' }],
    ['postgres://h/db?sslmode=no-verify', { tls: 'require' }],
    ['postgres://h1,h2/db?target_session_attrs=any', { target: 'any' }]
  ] as const)
    t.match(parseDatabaseUrl(url), read, url)
  t.equal(parseDatabaseUrl('postgres://h/db?sslmode=require').tlsOptions().rejectUnauthorized, false)
  t.equal(parseDatabaseUrl('postgres://h/db?sslmode=verify-full').tlsOptions().rejectUnauthorized, true)
  t.equal(parseDatabaseUrl('postgres://h/db?sslmode=verify-full').tlsOptions().checkServerIdentity, undefined)
})

t.test('what is wrong is told, without the password', async t => {
  for (const [url, fault] of [
    ['postgres://u:p%#w@h/db', /^is not a valid URL/],
    ['postgres://u:p/w@h/db', /^is not a valid URL/],
    ['postgres://u@h:0/db', /^has a port/],
    ['postgres://u@h/db?sslmode=foo', /^has sslmode="foo", which is none of disable, allow,/],
    ['postgres://u@h/db?sslmode=verify-ca', /needs sslrootcert/],
    ['postgres://u@h/db?sslmode=verify-full&sslrootcert=/nowhere', /^names the file \/nowhere as sslrootcert.*ENOENT/],
    ['postgres://u@h/db?target_session_attrs=standby', /^has target_session_attrs="standby"/]
  ] as const)
    t.throws(() => parseDatabaseUrl(url), { message: fault }, url)
})
