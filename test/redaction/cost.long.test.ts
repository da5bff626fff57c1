import t from 'tap'
import type { Redact } from '../../src/kernel/text-arguments.js'
import { redactorOf } from '../../src/redaction/redactor.js'
import { SECRETS } from './secrets.js'

/** Looking for secrets takes time in proportion to the text, also in texts that were made to take longer. */

const mask = redactorOf('mask') as Redact
const SMALL = 64 * 1024
const LARGE = 1024 * 1024
/** Sixteen times the text may take this many times as long; something quadratic takes 256 times. */
const RATIO_MAX = 64

const filled = (unit: string, length: number) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

/** Of the processor: what else runs on the machine does not count. */
function milliseconds(text: string): number {
  let best = Infinity
  for (let i = 0; i < 3; i++) {
    const began = process.cpuUsage()
    mask({ content: text }, [{ name: 'content' }])
    const { user, system } = process.cpuUsage(began)
    best = Math.min(best, (user + system) / 1000)
  }
  return best
}

const UNITS = [
  ...['eyJ', '-eyJ', 'eyJ.', 'eyJaaaaaaaaaa.', 'eyJaaaaaaaa.eyJaaaaaaaa.', 'a', 'A', '0', ' ', '-', '\n', '"'],
  ...['-----BEGIN PRIVATE KEY-----', '-----BEGIN PRIVATE KEY-----\n', '-----BEGIN A B C D PRIVATE KEY', '-----'],
  ...['-----BEGIN PRIVATE KEY-----\nabcdefghijklmnop', '-----BEGIN ', 'a-', '-----END PRIVATE KEY-----'],
  ...['Bearer ', 'bearer  ', 'bearer\t', 'Bearer aaaaaaaaaaaaaaaaaaaaaa', 'bearerbearer'],
  ...['http://', 'a://a:', 'aa://:aaa:', 'aa://aaaaaaaa:bbbbbbbb', 'x'.repeat(25), 'a+', 'a.', '://'],
  ...['sk-', 'sk-ant-', 'sk-aaaaaaaaaaaaaaaaaaaaT3Blbk', 'T3BlbkFJ', 'scs_', '_scs_', 'ghp_', 'xoxb-', 'AKIA', 'SG.'],
  ...['SG.aaaaaaaaaaaaaaaaa.', 'glpat-', 'npm_', 'hf_', 'authorization: ', 'authorization:basic ', 'aws_secret_key="'],
  ...['AccountKey=', 'https://hooks.slack.com/', 'ya29.', 'AIza', '[redacted:jwt]', '\\n', 'aws_secret_key= = ='],
  ...[
    'a://a:bbb@bbb',
    '\\n\\neyJ',
    'ATATT3aaaa=',
    'hvs.a',
    'glsa_',
    'dapi0',
    'shpat_',
    'gsk_',
    'xai-',
    'SharedAccessKey='
  ],
  ...[':AA', '123456:AA', '0:AA', 'MTAxMTAx', 'MTAx', `${'MTAx'.repeat(5)}abc.abcdef.`, '/bot', '/webhooks/'],
  ...['discord.com/api/webhooks/', 'SK', 'SK01234567', `AC${'0'.repeat(32)}:`, 'twilio', 'twilio_auth_token= ='],
  ...['ntn_', 'secret_', 'lin_api_', 'sntrys_', 'sntrys_eyJ', 'sntrys_eyJaaaaaaaaaaaaaaaaaaaaaa=', 'AGE-SECRET-KEY-1'],
  ...['http://a:80,', '://a:8080', '\u200b', 'a\u200b', 'g\u200bh\u200bp\u200b_', '\u{e0041}a', 'a\u00ad'],
  ...['-----BEGIN PRIVATE KEY-----\nProc-Type: A\n', '-----BEGIN PRIVATE KEY-----> ', '> ', '>|#']
]

t.test('a mebibyte of anything', async t => {
  for (const unit of UNITS) {
    // Both an endless run, and one that begins anew after each unit.
    for (const text of [unit, `${unit} `]) {
      const small = milliseconds(filled(text, SMALL))
      const large = milliseconds(filled(text, LARGE))
      t.ok(large < RATIO_MAX * Math.max(small, 2), `${JSON.stringify(text)}: ${small} ms, ${large} ms`)
    }
  }
})

t.test('a mebibyte of secrets', async t => {
  for (const [kind, [[text = ''] = []]] of Object.entries(SECRETS)) {
    const small = milliseconds(filled(`${text} `, SMALL))
    const large = milliseconds(filled(`${text} `, LARGE))
    t.ok(large < RATIO_MAX * Math.max(small, 2), `${kind}: ${small} ms, ${large} ms`)
  }
})
