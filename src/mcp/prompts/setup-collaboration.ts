import { mayCall } from '../../kernel/authorize.js'
import { callTool } from '../../kernel/call.js'
import { identify } from '../../agents/identify.js'
import { answerOf } from '../failure.js'
import type { Prompt } from './prompt.js'

export const setupCollaboration: Prompt = {
  name: 'setup-collaboration',
  title: 'Set up a collaboration',
  description: 'Brings several agents together in one session, each with its role',
  arguments: [
    { name: 'purpose', description: 'What the agents are to achieve together', required: true },
    {
      name: 'expert_roles',
      description: 'The roles, separated by commas, such as "researcher, critic, writer"',
      required: true
    },
    {
      name: 'collaboration_type',
      description: 'How they work: parallel, sequential or coordinator-worker, or in your own words',
      required: false
    },
    { name: 'session_id', description: 'A session to go on in; left out, a new one is opened', required: false }
  ],
  async write({ purpose, expert_roles = '', collaboration_type = 'coordinator-worker', session_id }, caller, app) {
    const existing =
      session_id === undefined
        ? undefined
        : answerOf(await callTool('get_session', { session_id, message_limit: 0 }, caller, app.kernel))
    const agent = await identify(caller, app.verifiers)
    const roles = expert_roles
      .split(',')
      .map(role => role.trim())
      .filter(role => role !== '')
    const steps = [
      ...(agent === null ? ['Authenticate with authenticate_agent; without it nothing below is possible.'] : []),
      ...(agent !== null && !mayCall(agent, 'write')
        ? [
            'You may read but not write: authenticate with a key that grants write, ' +
              'or let another agent take the steps that write.'
          ]
        : []),
      existing === undefined
        ? `Open a session with create_session and the purpose ${JSON.stringify(purpose)}, ` +
          'and give its session_id to every agent.'
        : `Work in the session ${session_id}, which was opened for: ` +
          `${JSON.stringify((existing.session as { purpose: string }).purpose)}. Read it first, ` +
          'with get_messages.',
      `Fill the roles, each with an agent of its own: ${roles.join(', ')}.`,
      'Assign every role its task with add_message, addressed by the agent\'s exact name ("TASK ASSIGNMENT: ' +
        '<agent_id> -> ..."), so that search_context finds it.',
      'Each agent finds its task with search_context, follows the session with get_messages and after_seq, ' +
        'answers with parent_message_id, and reports with "COMPLETED: ...".',
      'Keep what only one agent needs in its own memory with set_memory; ' +
        'notes for agents of the same type go into messages with visibility agent_only.',
      'At the end, sum up the results in one message and close the session with update_session and is_active: false.'
    ]
    return [
      'Set up a collaboration of agents in the shared workspace.',
      '',
      `Purpose: ${purpose}`,
      `Roles: ${roles.join(', ')}`,
      `Way of working: ${collaboration_type}`,
      '',
      ...steps.map((step, i) => `${i + 1}. ${step}`)
    ].join('\n')
  }
}
