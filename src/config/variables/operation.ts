import { DEFAULT_TOOLSETS, toolsets } from '../toolset-names.js'
import { variable } from '../variable.js'
import { anyText, flag, httpUrl, redaction, wholeNumber } from '../values.js'

/** Retention, start and stop, and the command `mcp`. */
export const operationVariables = {
  retention_days: variable(
    'RETENTION_DAYS',
    'Days that the service keeps messages, and closed sessions after their last activity. ' +
      'A workspace can have its own setting (set_retention). 0: for ever',
    wholeNumber(0, 36_500),
    '0'
  ),
  audit_retention_days: variable(
    'AUDIT_RETENTION_DAYS',
    'Days that the service keeps audit rows. A workspace can have its own setting (the command `retention ' +
      'audit`). Needs AUDIT_HMAC_KEY, because rows go only up to a signed head. 0: for ever',
    wholeNumber(0, 36_500),
    '0'
  ),
  redaction: variable(
    'REDACTION',
    'What happens to what looks like a secret (keys and tokens of well-known forms) in what agents write. ' +
      'off: nothing; report: its sender is warned, and it is counted and audited; mask: it is also replaced by ' +
      '`[redacted:kind]` before it is stored',
    redaction,
    'off'
  ),
  migrate_on_start: variable(
    'MIGRATE_ON_START',
    'false: the start does not migrate; run the command `migrate up`',
    flag,
    'true'
  ),
  shutdown_delay_ms: variable(
    'SHUTDOWN_DELAY_MS',
    'Milliseconds between "not ready" and refusing requests, so that load balancers notice',
    wholeNumber(0, 600_000),
    '0'
  ),
  shutdown_timeout_ms: variable(
    'SHUTDOWN_TIMEOUT_MS',
    'Milliseconds that requests in flight have to finish',
    wholeNumber(0, 600_000),
    '20000'
  ),
  otlp_endpoint: variable(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'Address of an OpenTelemetry collector, such as http://127.0.0.1:4318, that gets traces and metrics as OTLP over ' +
      'HTTP (JSON). Needs the optional packages of OpenTelemetry; docs/operations.md, OpenTelemetry',
    httpUrl,
    undefined,
    { default_note: 'none' }
  ),
  metric_interval_ms: variable(
    'OTEL_METRIC_EXPORT_INTERVAL',
    'Milliseconds between two exports of metrics',
    wholeNumber(1000, 3_600_000),
    '60000'
  ),
  agent_id: variable('AGENT_ID', 'agent_id of the command `mcp` (stdio)', anyText, undefined, {
    default_note: "the MCP client's name"
  }),
  agent_type: variable('AGENT_TYPE', 'agent_type of the command `mcp` (stdio)', anyText, undefined, {
    default_note: 'mcp'
  }),
  mcp_toolsets: variable(
    'TOOLSETS',
    'What tools/list of the command `mcp` (stdio) names, like `/mcp?toolsets=`: core, inbox, tasks, leases, memory, ' +
      'sessions, identity, admin, or all',
    toolsets,
    DEFAULT_TOOLSETS.join(',')
  ),
  mcp_output_schemas: variable(
    'MCP_OUTPUT_SCHEMAS',
    'true: tools/list of the command `mcp` (stdio) has the schemas of the answers, like `/mcp?output_schemas=true`',
    flag,
    'false'
  )
}
