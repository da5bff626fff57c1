import fc from 'fast-check'
import t from 'tap'
import { editDistance } from '../../src/kernel/edit-distance.js'
import { halvesOf, piecesOf } from '../../src/search/edits.js'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const word = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 4, maxLength: 14 })
const error = fc.record({
  kind: fc.constantFrom('drop', 'add', 'exchange', 'swap'),
  at: fc.nat(),
  letter: fc.constantFrom(...LETTERS)
})

function misspell(text: string, { kind, at, letter }: { kind: string; at: number; letter: string }): string {
  const i = at % text.length
  const [before, after] = [text.slice(0, i), text.slice(i)]
  if (kind === 'drop') return before + after.slice(1)
  if (kind === 'add') return before + letter + after
  if (kind === 'exchange') return before + letter + after.slice(1)
  return before + after.charAt(1) + after.charAt(0) + after.slice(2)
}

for (const errors of [1, 2] as const) {
  t.test(`a word with ${errors} typing errors has a beginning or an ending of the word meant`, async t => {
    fc.assert(
      fc.property(word, fc.array(error, { minLength: errors, maxLength: errors }), (meant, mistakes) => {
        const typed = mistakes.reduce(misspell, meant)
        fc.pre(typed.length >= 2 && editDistance(typed, meant, errors) === errors)
        const { beginnings, endings } = halvesOf(typed, errors)
        return (
          beginnings.some(beginning => meant.startsWith(beginning)) ||
          endings.some(ending => [...meant].reverse().join('').startsWith(ending))
        )
      }),
      { numRuns: 5000 }
    )
    t.pass('5000 words')
  })
}

t.test('no beginning begins with another, so that no word is found by two', async t => {
  const { beginnings, endings } = halvesOf('serialisation', 2)
  t.same(
    beginnings.filter(one => beginnings.some(other => other !== one && one.startsWith(other))),
    []
  )
  t.same(
    endings.filter(one => endings.some(other => other !== one && one.startsWith(other))),
    []
  )
})

t.test('of a word with one typing error some piece stands in the word meant', async t => {
  fc.assert(
    fc.property(word, error, (meant, mistake) => {
      const typed = misspell(meant, mistake)
      fc.pre(typed.length >= 4 && editDistance(typed, meant, 1) === 1)
      return piecesOf(typed).some(piece => meant.includes(piece))
    }),
    { numRuns: 5000 }
  )
  t.pass('5000 words')
})
