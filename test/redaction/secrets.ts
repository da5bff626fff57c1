/**
 * Made-up secrets of every kind, put together here so that nobody who looks for secrets in this repository finds one.
 */
const hex = (length: number) => '0123456789abcdef'.repeat(8).slice(0, length)
const mixed = (length: number) => 'Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z'.repeat(8).slice(0, length)
const upper = (length: number) => 'ABC2DEF3GHI4JKL5MNO6PQR7'.repeat(2).slice(0, length)
const bech32 = (length: number) => 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, length)
const join = (...parts: string[]) => parts.join('')
const base64 = (text: string) => Buffer.from(text).toString('base64url')

const pem = (label: string, lineEnd: string) =>
  [join('-----BEGIN ', label, '-----'), mixed(64), mixed(64), mixed(20), join('-----END ', label, '-----')].join(
    lineEnd
  )

/** A token of Discord begins with the id of the bot. */
const discord = (id: string, end: number) => [base64(id), 'Gh3xYz', mixed(end)].join('.')

const jwt = [base64('{"alg":"HS256","typ":"JWT"}'), base64('{"sub":"somebody","exp":1}'), mixed(43)].join('.')

/** Texts that hold exactly one secret each, with what is to be seen of it, by the name of its kind. */
export const SECRETS: Record<string, Array<[text: string, secret: string]>> = {
  private_key: [
    ['RSA PRIVATE KEY', '\n'],
    ['PRIVATE KEY', '\n'],
    ['ENCRYPTED PRIVATE KEY', '\r\n'],
    ['OPENSSH PRIVATE KEY', '\\n'],
    ['PGP PRIVATE KEY BLOCK', '\n']
  ].map(([label = '', lineEnd = '']) => [pem(label, lineEnd), mixed(64)]),
  own_key: [join('scs', '_', hex(16), '_', mixed(43)), join('scs', '_', mixed(32))].map(each => [each, each]),
  aws_key: [
    [join('AKI', 'A', upper(16)), join('AKI', 'A', upper(16))],
    [join('ASI', 'A', upper(16)), join('ASI', 'A', upper(16))],
    [`aws_secret_access_key = ${mixed(40)}`, mixed(40)],
    [`AWS_SECRET_ACCESS_KEY="${mixed(40)}"`, mixed(40)]
  ],
  github_token: [join('gh', 'p_', mixed(36)), join('gh', 's_', mixed(36)), join('github', '_pat_', mixed(82))].map(
    each => [each, each]
  ),
  gitlab_token: [join('gl', 'pat-', mixed(20)), join('gl', 'dt-', mixed(20))].map(each => [each, each]),
  slack_token: [
    ...[join('xo', 'xb-', '123456789012-123456789012-', mixed(24)), join('xa', 'pp-', '1-A0123-', mixed(30))].map(
      (each): [string, string] => [each, each]
    ),
    [join('https://hooks.slack', '.com/services/', 'T0001/B0001/', mixed(24)), mixed(24)]
  ],
  chat_token: [
    ...[join('12345678', ':AA', mixed(33)), join('7123456789', ':AA', mixed(32), '-')].map((each): [string, string] => [
      each,
      each
    ]),
    [join('https://api.telegram.org/bot', '7123456789', ':AA', mixed(33), '/sendMessage'), mixed(33)],
    ...[discord('19862248347192524', 27), discord('198622483471925248', 38), discord('1098622483471925248', 38)].map(
      (each): [string, string] => [each, each]
    ),
    ...['discord.com/api/', 'canary.discord.com/api/v10/', 'discordapp.com/api/'].map((path): [string, string] => [
      join('https://', path, 'web', 'hooks/1098622483471925248/', mixed(68)),
      mixed(68)
    ])
  ],
  stripe_key: [join('sk', '_live_', mixed(24)), join('rk', '_test_', mixed(24)), join('wh', 'sec_', mixed(32))].map(
    each => [each, each]
  ),
  google_key: [join('AI', 'za', mixed(35)), join('GOC', 'SPX-', mixed(28)), join('ya', '29.', mixed(60))].map(each => [
    each,
    each
  ]),
  azure_key: [
    [join('AccountName=a;Account', 'Key=', mixed(86), '==;'), mixed(86)],
    [join('SharedAccessKeyName=a;SharedAccess', 'Key=', mixed(43), '='), mixed(43)]
  ],
  model_key: [
    join('sk', '-ant-', 'api03-', mixed(90)),
    join('sk', '-proj-', mixed(60)),
    join('sk', '-', mixed(20), 'T3Blbk', 'FJ', mixed(20)),
    join('sk', '-', hex(32)),
    join('gs', 'k_', mixed(52)),
    join('xa', 'i-', mixed(80)),
    join('pp', 'lx-', mixed(48)),
    join('r', '8_', mixed(37))
  ].map(each => [each, each]),
  registry_token: [join('np', 'm_', mixed(36)), join('py', 'pi-AgE', mixed(80)), join('dckr', '_pat_', mixed(27))].map(
    each => [each, each]
  ),
  service_token: [
    join('h', 'f_', mixed(34)),
    join('do', 'p_v1_', hex(64)),
    join('S', 'G.', mixed(22), '.', mixed(43)),
    join('hv', 's.', mixed(90)),
    join('ATA', 'TT3', mixed(150), '=0A1B2C3D'),
    join('da', 'pi', hex(32)),
    join('gl', 'sa_', mixed(32), '_', hex(8)),
    join('shp', 'at_', hex(32)),
    join('nt', 'n_', '12345678901', mixed(35)),
    join('secr', 'et_', mixed(43)),
    join('li', 'n_api_', mixed(40)),
    join('li', 'n_oauth_', hex(64)),
    join('sntr', 'yu_', hex(64)),
    join('sntr', 'yi_', hex(64)),
    join('sntr', 'ys_', base64('{"iat":1700000000.5,"url":"https://sentry.io","org":"mine"}'), '=_', mixed(43))
  ].map(each => [each, each]),
  twilio_key: [
    [join('S', 'K', hex(32)), hex(32)],
    [join('S', 'K', hex(32), ':', mixed(32)), mixed(32)],
    [join('A', 'C', hex(32), ':', 'f', hex(31)), 'f' + hex(31)],
    [join('TWILIO_AUTH', '_TOKEN=', hex(32)), hex(32)],
    [join('"twilioApiKey', 'Secret": "', mixed(32), '"'), mixed(32)]
  ],
  age_key: [join('AGE-SECRET', '-KEY-1', bech32(58)), join('AGE-SECRET', '-KEY-PQ-1', bech32(58))].map(each => [
    each,
    each
  ]),
  jwt: [[jwt, jwt]],
  authorization: [
    [join('Authorization: Bear', 'er ', mixed(40)), mixed(40)],
    [join('authorization: Bas', 'ic ', Buffer.from('user1:of mine').toString('base64')), 'dXNlcjE6']
  ],
  url_password: [
    [join('postgres://shared:', 'c0rrect-horse', '@db.my-company.org:5432/shared'), 'c0rrect-horse'],
    [join('https://ci:', 'b4ttery!', '@git.my-company.org/a.git'), 'b4ttery!'],
    [join('postgres://shared:', 'p@ss@w0rd', '@db.my-company.org/shared'), 'ss@w0rd']
  ]
}
