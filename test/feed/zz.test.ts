import t from 'tap'
import { changesForMany } from '../../src/feed/store/feed.js'
import { newSession, ok, startApp } from '../helper.js'
t.test('m', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  for (let n = 0; n < 3; n++) await ok(app, 'add_messages', { session_id, messages: Array.from({ length: 80 }, (_, i) => ({ content: `m ${i}`, visibility: i % 2 ? 'private' : 'public' })) })
  const viewer = { workspace: 'default', agent_id: 'agent-1', agent_type: 'custom', permissions: ['read' as const] }
  for (const count of [1, 500, 1, 500, 1, 500]) {
    const at = performance.now()
    for (let k = 0; k < 5; k++) { const page = await changesForMany(app.database.db, Array.from({ length: count }, () => viewer), session_id, 0, 250); for (let v = 0; v < count; v++) page?.changesOf(v) }
    console.error(count, ((performance.now() - at) / 5).toFixed(1), 'ms')
  }
  const ids = [...Array(500).keys()]
  for (const k of [1,2,3]) { const at = performance.now(); const page = await changesForMany(app.database.db, ids.map(i => ({ ...viewer, agent_id: `agent-${i}` })), session_id, 0, 250); for (const v of ids) page?.changesOf(v); console.error('distinct agents', (performance.now() - at).toFixed(1)) }
})
