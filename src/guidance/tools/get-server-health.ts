import { Type } from '@sinclair/typebox'
import { needOperator } from '../../agents/whole-workspace.js'
import { Time } from '../../kernel/answer-shapes.js'
import { EmptyIsAbsent, OneOf } from '../../kernel/schema.js'
import { input, output } from '../../kernel/shapes.js'
import { defineTool, type Tool } from '../../kernel/tool.js'
import { Latencies } from '../latencies.js'
import { minutesOf, replicasOf, toolsOf } from '../server-hour.js'
import { figuresOfHour } from '../store/replica-figures.js'

const Rate = Type.Number({ description: 'A second' })

/**
 * @param tools asked for at each call: all of them are known once the app is built
 * @param refresh writes the figures of this replica
 */
export const getServerHealth = (tools: () => readonly Tool[], refresh: () => Promise<void>) =>
  defineTool({
    name: 'get_server_health',
    title: 'The last hour of all replicas',
    description:
      'For the operator, with the shared ADMIN_API_KEY: every replica of the service, and minute by minute of the ' +
      'last hour what all of them did together. Replicas write their figures every 30 seconds; one that has not ' +
      'done so for 75 seconds is not up. Admins of a workspace are refused.',
    permission: 'admin',
    effect: 'reads',
    commits: 'transaction',
    input: input({
      tool: Type.Optional(
        Type.String({
          maxLength: 100,
          [EmptyIsAbsent]: true,
          description: 'Count only the calls of this tool, minute by minute; without: of all tools'
        })
      )
    }),
    output: output({
      replicas: Type.Array(
        Type.Object({
          replica: Type.String(),
          version: Type.String(),
          started_at: Time,
          seen_at: Time,
          is_up: Type.Boolean({ description: 'false: it was killed, or does not reach the database' }),
          calls_per_second: Rate,
          connections: Type.Object(
            { in_use: Type.Integer(), waiting: Type.Integer(), max: Type.Integer() },
            { description: 'To the database, and calls that wait for one' }
          ),
          event_hints: OneOf(['listen', 'poll'], {
            description: 'poll: hints of changes do not arrive, and the database is asked every 250 ms'
          }),
          resident_bytes: Type.Integer()
        })
      ),
      minutes: Type.Array(
        Type.Object({
          minute: Time,
          replicas: Type.Integer(),
          calls_per_second: Rate,
          errors_per_second: Rate,
          ...Latencies,
          connections_in_use: Type.Integer(),
          calls_waiting: Type.Integer({ description: 'Calls that wait for a connection' }),
          resident_bytes: Type.Integer(),
          search_waiting: Type.Integer({ description: 'Messages that the search index does not hold yet' }),
          database_bytes: Type.Integer()
        }),
        {
          description:
            'From the oldest to the newest. Without the argument tool, the latencies leave out tools that wait for ' +
            'others'
        }
      ),
      tools: Type.Array(
        Type.Object({ tool: Type.String(), success: Type.Integer(), error: Type.Integer(), ...Latencies }),
        { description: 'Each tool that was called within the hour' }
      )
    }),
    audit: () => ({ event_type: 'metrics_read' }),
    async handler({ tool }, { db, agent }) {
      needOperator(agent, 'These figures')
      await refresh()
      const { now, samples } = await figuresOfHour(db)
      const waits = (name: string) => tools().some(tool => tool.name === name && 'waits_ms' in tool)
      return {
        replicas: replicasOf(samples, now),
        minutes: minutesOf(
          samples,
          name => tool === undefined || name === tool,
          name => tool !== undefined || !waits(name)
        ),
        tools: toolsOf(samples)
      }
    }
  })
