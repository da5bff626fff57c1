import t from 'tap'
import { generate, GENERATED_FILES, readGenerated } from '../../../scripts/typescript-client.js'

for (const name of GENERATED_FILES)
  t.test(`${name} is what npm run docs writes`, async t => {
    t.ok((await generate(name)) === readGenerated(name), `${name} is out of date: run npm run docs`)
  })
