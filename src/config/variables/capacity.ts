import { variable } from '../variable.js'
import { oneOf, wholeNumber } from '../values.js'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** What one process may use at a time: connections, memory, time, waiting calls and streams. */
export const capacityVariables = {
  database_pool_max: variable(
    'DATABASE_POOL_MAX',
    'Database connections of one process for calls; each process has two more',
    wholeNumber(2, 1000),
    '8'
  ),
  body_limit: variable('BODY_LIMIT', 'Largest request body, in bytes', wholeNumber(1024, 1024 ** 3), '8388608'),
  memory_value_limit: variable(
    'MEMORY_VALUE_LIMIT',
    'Largest value of memory, in bytes as JSON. A request has to hold it: see BODY_LIMIT',
    wholeNumber(1024, 16 * 1024 ** 2),
    '4194304'
  ),
  body_memory: variable(
    'BODY_MEMORY',
    'Memory that request bodies may take in one process at the same time, in bytes, ' +
      'at least eight times BODY_LIMIT. Unauthenticated callers share a quarter. One address gets at most half of ' +
      'its share. Beyond that, calls get SERVICE_UNAVAILABLE',
    wholeNumber(16 * 1024 ** 2, 1024 ** 4),
    undefined,
    { default_note: '`67108864`, or eight times BODY_LIMIT if that is more' }
  ),
  log_level: variable('LOG_LEVEL', LOG_LEVELS.join(', '), oneOf(LOG_LEVELS), 'info'),
  log_format: variable(
    'LOG_FORMAT',
    'json: a line of JSON for each event; pretty: lines for people; auto: pretty on a terminal, else json',
    oneOf(['auto', 'json', 'pretty']),
    'auto'
  ),
  request_timeout_ms: variable(
    'REQUEST_TIMEOUT_MS',
    'Milliseconds a call may take, waiting in wait_for_messages excepted',
    wholeNumber(100, 600_000),
    '30000'
  ),
  statement_timeout_ms: variable(
    'STATEMENT_TIMEOUT_MS',
    'Milliseconds one database statement may take',
    wholeNumber(100, 600_000),
    '10000'
  ),
  database_connect_timeout_ms: variable(
    'DATABASE_CONNECT_TIMEOUT_MS',
    'Milliseconds to wait for a free or new database connection',
    wholeNumber(100, 60_000),
    '5000'
  ),
  database_connection_max_age_ms: variable(
    'DATABASE_CONNECTION_MAX_AGE_MS',
    'Milliseconds after which a database connection is replaced, so that the service moves to other servers behind ' +
      'one address. 0: never',
    wholeNumber(0, 86_400_000),
    '1800000'
  ),
  max_in_flight: variable(
    'MAX_IN_FLIGHT',
    'Requests that one process handles at the same time; others get SERVICE_UNAVAILABLE',
    wholeNumber(1, 100_000),
    '1000'
  ),
  waiters_max: variable(
    'WAITERS_MAX',
    'Calls of wait_for_messages that wait in one process at the same time; others get SERVICE_UNAVAILABLE',
    wholeNumber(1, 100_000),
    '5000'
  ),
  waiters_per_agent_max: variable(
    'WAITERS_PER_AGENT_MAX',
    'The same for one agent; others get RATE_LIMITED',
    wholeNumber(1, 100_000),
    '100'
  ),
  streams_max: variable(
    'STREAMS_MAX',
    'Event streams that are open in one process at the same time; others get SERVICE_UNAVAILABLE',
    wholeNumber(1, 100_000),
    '5000'
  ),
  streams_per_agent_max: variable(
    'STREAMS_PER_AGENT_MAX',
    'The same for one agent; others get RATE_LIMITED',
    wholeNumber(1, 100_000),
    '100'
  ),
  connections_max: variable(
    'CONNECTIONS_MAX',
    'HTTP connections that are open in one process at the same time; others are closed at once',
    wholeNumber(1, 1_000_000),
    '20000'
  ),
  connections_per_address_max: variable(
    'CONNECTIONS_PER_ADDRESS_MAX',
    'The same for one address (IPv6: one /64), such as a proxy',
    wholeNumber(1, 1_000_000),
    '10000'
  )
}
