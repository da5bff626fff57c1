import fc from 'fast-check'
import t from 'tap'
import { JsonText, stringify } from '../../src/kernel/json-text.js'

t.test('texts stand in JSON as they are, wherever they are', async t => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.jsonValue(), (values, other) => {
      const texts = values.map(value => JSON.stringify(value))
      const withTexts = { other, list: texts.map(text => new JsonText(text)), inner: { one: new JsonText('[1]') } }
      const plain = JSON.stringify({ other, list: values, inner: { one: [1] } })
      t.equal(stringify(withTexts), plain)
      // Whoever prints it without knowing of texts prints the same.
      t.equal(JSON.stringify(withTexts), plain)
    })
  )
  t.equal(stringify(new JsonText('{"a" : 1}')), '{"a" : 1}')
})
