import type { Task } from '../../clients/typescript/src/index.js'
import { TASK_STATES } from '../kernel/task-states.js'
import { CommandError, JSON_OUTPUT, UsageError, verb, type Verbs } from './command.js'
import { CONNECTION, withServer } from './connection.js'
import { notice } from './notice.js'
import { jsonValue, operandText, wholeNumber } from './operands.js'
import { sessionOf } from './session-of.js'
import { jsonLine, oneLine, shownTask, shownTime } from './shown.js'
import { table } from './table.js'

const SESSION = {
  type: 'string',
  value: '<session>',
  description: 'of this session alone, by its id or its key; default: of any'
} as const
/** The most seconds that one call of the server waits. */
const WAIT_MAX = 55

export const verbs: Verbs = {
  list: verb({
    summary: 'Lists tasks, the newest first.',
    options: {
      state: { type: 'string', value: '<state>', description: `one of ${TASK_STATES.join(', ')}` },
      ready: { type: 'boolean', description: 'only those that you may claim now' },
      session: SESSION,
      limit: { type: 'string', value: '<number>', description: 'at most so many; default: 50' },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ state, ready, session, limit = '50', json, ...options }) {
      const word = TASK_STATES.find(known => known === state)
      if (state !== undefined && word === undefined)
        throw new UsageError(`--state must be one of ${TASK_STATES.join(', ')}.`)
      const most = wholeNumber('--limit', limit, 1)
      const tasks = await withServer(options, async client => {
        const found: Task[] = []
        const input = {
          state: word,
          ready: ready ? true : undefined,
          session_id: await sessionOf(client, session),
          limit: Math.min(most, 100)
        }
        for await (const task of client.each('list_tasks', input)) if (found.push(task) === most) break
        return found
      })
      if (json) for (const task of tasks) console.log(jsonLine(task))
      else if (tasks.length > 0)
        console.log(
          table(
            ['TASK', 'STATE', 'BY', 'UPDATED', 'TITLE'],
            tasks.map(task => [
              task.task_id,
              task.state,
              task.assignee ?? '',
              shownTime(task.updated_at),
              oneLine(task.title, 80)
            ])
          )
        )
      if (tasks.length === 0) notice('There are no such tasks.')
    }
  }),
  claim: verb({
    summary:
      'Claims the next ready task, or one, and prints it with its lease token. It exits with 1 if there is none.',
    options: {
      task: {
        type: 'string',
        value: '<task_id>',
        description: 'this task; default: the next one by priority, then age'
      },
      session: SESSION,
      wait: {
        type: 'string',
        value: '<seconds>',
        description: `wait so long for a task, 0 to ${WAIT_MAX}; default: 0`
      },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ task: task_id, session, wait = '0', json, ...options }) {
      const wait_seconds = wholeNumber('--wait', wait, 0, WAIT_MAX)
      const { task, lease } = await withServer(options, async client =>
        client.claimTask({ task_id, session_id: await sessionOf(client, session), wait_seconds })
      )
      if (task === null || lease === null)
        throw new CommandError(task_id === undefined ? 'No task is ready.' : `The task ${task_id} is not ready.`)
      if (json) console.log(jsonLine({ task, lease }))
      else console.log(`${shownTask(task)}\n    lease token ${lease.token}, until ${shownTime(lease.expires_at)} UTC`)
    }
  }),
  complete: verb({
    summary: 'Says that a task which you hold is done, and what came of it.',
    operands: ['<task_id>', '<lease_token>'],
    options: {
      result: { type: 'string', value: '<json>', description: 'what came of it; - is the standard input' },
      ...CONNECTION,
      json: JSON_OUTPUT
    },
    async run({ result, json, ...options }, [task_id, token]) {
      const lease_token = wholeNumber('<lease_token>', token, 1)
      const value = result === undefined ? undefined : jsonValue('--result', await operandText(result))
      const { task } = await withServer(options, client => client.completeTask({ task_id, lease_token, result: value }))
      console.log(json ? jsonLine(task) : task.state)
    }
  })
}
