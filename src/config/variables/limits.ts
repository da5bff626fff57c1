import { variable } from '../variable.js'
import { wholeNumber } from '../values.js'

/** Rate limits, which count per minute, and quotas, which limit stored data. */
export const limitsVariables = {
  rate_limit_agent_per_minute: variable(
    'RATE_LIMIT_AGENT_PER_MINUTE',
    'Calls of one agent in a minute, on all replicas together; others get RATE_LIMITED. 0: no limit',
    wholeNumber(0, 1_000_000_000),
    '120000'
  ),
  rate_limit_key_per_minute: variable(
    'RATE_LIMIT_KEY_PER_MINUTE',
    'Calls of all agents with one API key in a minute. 0: no limit',
    wholeNumber(0, 1_000_000_000),
    '600000'
  ),
  rate_limit_address_per_minute: variable(
    'RATE_LIMIT_ADDRESS_PER_MINUTE',
    'Requests from one address (IPv6: one /64) in a minute. Behind a proxy that TRUST_PROXY does not name, ' +
      'all requests come from the proxy. 0: no limit',
    wholeNumber(0, 1_000_000_000),
    '600000'
  ),
  rate_limit_failures_per_minute: variable(
    'RATE_LIMIT_FAILURES_PER_MINUTE',
    'Wrong keys and tokens from one address in a minute. The last six are answered more and more slowly, ' +
      'those beyond get RATE_LIMITED; right keys keep working. 0: no limit',
    wholeNumber(0, 1_000_000),
    '300'
  ),
  rate_limit_initialize_per_minute: variable(
    'RATE_LIMIT_INITIALIZE_PER_MINUTE',
    'MCP sessions that one address may open in a minute without good credentials. With them, the limit is five times ' +
      'as many for one API key, and ten times as many for a workspace. 0: no limit',
    wholeNumber(0, 1_000_000),
    '1200'
  ),
  quota_sessions: variable(
    'QUOTA_SESSIONS',
    'Sessions of one workspace; more get QUOTA_EXCEEDED. 0: no limit, here and below',
    wholeNumber(0, 1_000_000_000),
    '1000000'
  ),
  quota_session_messages: variable(
    'QUOTA_SESSION_MESSAGES',
    'Messages and later changes of one session',
    wholeNumber(0, 1_000_000_000),
    '2000000'
  ),
  quota_session_bytes: variable(
    'QUOTA_SESSION_BYTES',
    'Bytes written into one session: content and metadata of its messages',
    wholeNumber(0, 2 ** 50),
    '2147483648'
  ),
  quota_memory_entries: variable(
    'QUOTA_MEMORY_ENTRIES',
    'Memory values of one agent, those in its namespaces too',
    wholeNumber(0, 1_000_000_000),
    '100000'
  ),
  quota_memory_bytes: variable(
    'QUOTA_MEMORY_BYTES',
    'Bytes of these values: keys, values, metadata and older versions',
    wholeNumber(0, 2 ** 50),
    '1073741824'
  ),
  quota_tasks: variable(
    'QUOTA_TASKS',
    'Tasks of one workspace that are not completed, failed or canceled',
    wholeNumber(0, 1_000_000_000),
    '100000'
  ),
  loop_guard: variable(
    'LOOP_GUARD',
    'Replies that two agents may give each other within 10 minutes, each the answer to the last one; more get ' +
      'CONFLICT. ' +
      '0: any number, with a warning beyond 60',
    wholeNumber(0, 1_000_000),
    '0'
  )
}
