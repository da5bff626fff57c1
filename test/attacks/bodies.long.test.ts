import { join } from 'node:path'
import t from 'tap'
import { attacks } from './bodies/attacks.js'
import { tryAttacks } from './bodies/victim.js'

/** Strangers, and an owner of an ordinary key, who send bodies to use the server up: `npm run attack:bodies`. */

t.setTimeout(900_000)

t.test('attacks with bodies', { skip: process.platform === 'linux' ? false : 'memory is read from /proc' }, t =>
  tryAttacks(t, attacks, join(import.meta.dirname, 'bodies', 'attacker.mjs'))
)
