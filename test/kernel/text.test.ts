import fc from 'fast-check'
import t from 'tap'
import { printable } from '../../src/kernel/text.js'

t.test('what is printed holds nothing that a terminal obeys, and stays the same JSON', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const line = printable(JSON.stringify({ [text]: text }))
      return !/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(line) && JSON.parse(line)[text] === text
    }),
    { numRuns: 2000 }
  )
  t.equal(printable('a\u001b[31mb\u009b\u202ec'), 'a\\u001b[31mb\\u009b\\u202ec')
  t.equal(printable('Zoë 世界 🚀 é ❤️'), 'Zoë 世界 🚀 é ❤️')
  t.equal(printable('a\u{e0041}\u3164\u115fb'), 'a\\udb40\\udc41\\u3164\\u115fb', 'what a model reads and nobody sees')
})
