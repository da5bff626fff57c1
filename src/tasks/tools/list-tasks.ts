import { Type } from '@sinclair/typebox'
import { numbersIn, openCursor, pageOf, sealCursor } from '../../kernel/cursor.js'
import { pageFields } from '../../kernel/answer-shapes.js'
import { AgentId, Cursor, input, Limit, OptionalSessionId, output, Text } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../../sessions/store/sessions.js'
import { list, viewOf } from '../store/tasks.js'
import { StateWord, Task } from '../task-shapes.js'

const QUERY_MAX = 500

const NAME = 'list_tasks'

export const listTasks = defineTool({
  name: NAME,
  title: 'List tasks',
  description: 'The tasks that you may see, newest first.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    state: Type.Optional(StateWord('Only in this state')),
    ready: Type.Optional(Type.Boolean({ default: false, description: 'Only what you could claim now' })),
    session_id: OptionalSessionId('all'),
    assignee: Type.Optional(AgentId('Who holds it, or held it last')),
    created_by: Type.Optional(AgentId('Who created it')),
    query: Type.Optional(Text(1, QUERY_MAX, 'Text in title or description')),
    limit: Limit(50, 200),
    cursor: Cursor
  }),
  output: output({ tasks: Type.Array(Task), ...pageFields }),
  async handler({ limit = 50, cursor, ...filter }, { db, agent }) {
    const { state, ready, session_id, assignee, created_by, query: words } = filter
    const of = [NAME, state, ready, session_id, assignee, created_by, words]
    const before = cursor === undefined ? undefined : numbersIn(openCursor(of, cursor), 1)[0]
    if (filter.session_id !== undefined) await sessions.readSessionOrThrow(db, agent, filter.session_id)
    const rows = await list(db, agent, { ...filter, limit, before })
    const { items, ...page } = pageOf(rows, limit, ({ number }) => sealCursor(of, [number]))
    return { tasks: items.map(viewOf), ...page }
  }
})
