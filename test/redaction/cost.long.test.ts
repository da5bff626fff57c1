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

function milliseconds(text: string): number {
  let best = Infinity
  for (let i = 0; i < 3; i++) {
    const began = performance.now()
    mask({ content: text }, [{ name: 'content' }])
    best = Math.min(best, performance.now() - began)
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
  ...['AccountKey=', 'https://hooks.slack.com/', 'ya29.', 'AIza', '[redacted:jwt]', '\\n', 'aws_secret_key= = =']
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
