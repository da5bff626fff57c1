import { createHash } from 'node:crypto'

/** What agents write every day and is no secret, although it looks as random as one. */

/** The same bytes in every run, which no pattern of a secret was made for. */
function noise(length: number): Buffer {
  const parts: Buffer[] = []
  for (let n = 0; n * 64 < length; n++) parts.push(createHash('sha512').update(`noise ${n}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

const hash = (name: string, as: 'hex' | 'base64' | 'base64url') => createHash(name).update('a file').digest(as)

export const ORDINARY: Record<string, string[]> = {
  ids: [
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    '018f4d2e-7c1b-7a3e-9b2d-5f0c1e2d3a4b',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'V1StGXR8_Z5jdHi6B-myT',
    '507f1f77bcf86cd799439011',
    'cus_NffrFeUfNV2Hib',
    'pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH',
    'arn:aws:iam::123456789012:role/the-role-of-the-service',
    `A${'C'}0123456789abcdef0123456789abcdef`,
    'https://discord.com/channels/198622483471925248/198622483471925249/1098622483471925248',
    '<@198622483471925248> and <#198622483471925249>',
    'shared-context-server-7d4b9c8f6d-x2x9z',
    'i-0123456789abcdef0, subnet-0a1b2c3d4e5f67890, sg-903004f8',
    'session_0123456789abcdef task_0123456789abcdef'
  ],
  hashes: [
    ...['md5', 'sha1', 'sha256', 'sha512'].map(name => hash(name, 'hex')),
    `sha256:${hash('sha256', 'hex')}`,
    `sha512-${hash('sha512', 'base64')}`,
    hash('sha256', 'base64url'),
    `W/"${hash('sha1', 'base64')}"`,
    `node:20-slim@sha256:${hash('sha256', 'hex')}`,
    `registry.my-company.org:5000/app@sha256:${hash('sha256', 'hex')}`
  ],
  'long noise, such as images and files': [
    `data:image/png;base64,${noise(100_000).toString('base64')}`,
    noise(100_000).toString('base64url'),
    noise(100_000).toString('hex'),
    noise(100_000).toString('base64').replace(/.{76}/g, '$&\n'),
    `-----BEGIN CERTIFICATE-----\n${noise(900).toString('base64')}\n-----END CERTIFICATE-----`,
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${noise(32).toString('base64')} me@my-machine`,
    'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
  ],
  urls: [
    'https://host:8080/path@x',
    'https://host:8080/a:b@c?d=e:f@g#h:i@j',
    'http://localhost:8080',
    'http://localhost:8080,bob@my-company.org',
    'http://localhost:3000;http://localhost:3001;bob@my-company.org',
    '[the page](http://localhost:8080)|bob@my-company.org',
    '|http://localhost:8080|bob@my-company.org|',
    'owners:{a:http://localhost:8080},bob@my-company.org',
    'hosts=[http://localhost:8080],bob@my-company.org',
    '`http://localhost:8080`bob@my-company.org',
    '请打开http://localhost:8080。邮箱bob@my-company.org',
    'http://[::1]:8080/a:b@c',
    'http://[2001:db8::1]:8080,bob@my-company.org',
    'http://proxy:3128%2Fpath@x',
    'ssh://git@my-company.org:2222/a.git',
    'git@github.com:owner/repository.git',
    'https://packages.my-company.org/@scope/package/-/package-1.2.3.tgz',
    'http://localhost:4873/@scope%2fpackage',
    'postgres://localhost:5432/shared?user=me@my-company.org',
    'https://discord.com/api/webhooks and https://discord.gg/abcdef',
    'https://api.telegram.org/bot<token>/sendMessage',
    'mailto:bob@my-company.org, tel:+1-555-0100'
  ],
  code: [
    'const secret_name = await readSecret({ name: "secret_of_the_service", auth_token: undefined })',
    'def bearer_token(request): return request.headers.get("Authorization").removeprefix("Bearer ")',
    'export TWILIO_AUTH_TOKEN="$(cat token)" TWILIO_ACCOUNT_SID=x',
    'if (ntn_count > 10) lin_alg_solve(matrix); // lin_api_version',
    'class SKLearnPipeline0123456789abcdef: pass',
    'git show 1b1a98d3f0c2e4a5968778695a4b3c2d1e0f1a2b -- src/a.ts',
    'app.kernel.provide({ redact }).then(a => a.result.valueOf())',
    'MTA.config.relayThroughTheHostsOfTheCompany0',
    '{"a":1,"b":[1.5e10,true,null],"c":"\\u200b"}',
    'psql "host=localhost port=5432 user=me"',
    'sed -i "s/Bearer authentication/Bearer tokens/" docs/*.md'
  ],
  'stack traces': [
    'Error: x\n    at async Kernel.call (file:///app/dist/src/kernel/call.js:120:34)\n    at node:internal/a:1:2',
    'call@http://localhost:8080/assets/index-DiwrgTda.js:10:5\n@http://localhost:8080/a.js:1:1',
    'Traceback (most recent call last):\n  File "/app/a.py", line 10, in <module>\nValueError: bad',
    'goroutine 1 [running]:\nmain.main()\n\t/app/main.go:10 +0x1d',
    'java.lang.IllegalStateException: x\n\tat org.my.Company.run(Company.java:10)'
  ],
  'times and numbers': [
    '2026-12-02T03:15:00.123456Z',
    '2026-12-02T03:15:00+05:30',
    '20261202T031500Z',
    '03:15:00:AA',
    '1700000000:AAPL,1700000060:AAPL',
    '+49 30 123456-78',
    '+1 (555) 010-0199 x123',
    '4111 1111 1111 1111',
    '192.168.0.1:5432, 10.0.0.0/8, fe80::1%eth0, 00:1B:44:11:3A:B7',
    '12345678:AAAAAAAA'
  ]
}
