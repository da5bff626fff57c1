import t from 'tap'
import { ownerOf, RecentOwners } from '../../src/kernel/recent-owners.js'

t.test('an owner is a key, or the rest of a workspace', async t => {
  t.equal(ownerOf({ workspace: 'a', key_id: 'k' }), 'k')
  t.equal(ownerOf({ workspace: 'a' }), ownerOf({ workspace: 'a' }))
  t.not(ownerOf({ workspace: 'a' }), ownerOf({ workspace: 'b' }))
})

t.test('others are there for two seconds after their last call', async t => {
  const owners = new RecentOwners()
  t.notOk(owners.hasOthersThan('a', 0), 'nobody has called')
  owners.note('a', 1000)
  owners.note('a', 1100)
  t.notOk(owners.hasOthersThan('a', 1100))
  t.ok(owners.hasOthersThan('b', 1100))
  owners.note('b', 2000)
  owners.note('a', 2500)
  t.ok(owners.hasOthersThan('a', 3999))
  t.notOk(owners.hasOthersThan('a', 4001), 'b is gone')
  t.ok(owners.hasOthersThan('b', 4001), 'a is not')
})
