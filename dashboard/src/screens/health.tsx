import { useState } from 'preact/hooks'
import type { Health } from '../api/catalogue.js'
import { Chart } from '../parts/chart.js'
import { Choice } from '../parts/fields.js'
import { usePolling } from '../parts/fresh.js'
import { useLoaded } from '../parts/load.js'
import { Failure } from '../parts/notes.js'
import { Table } from '../parts/table.js'
import { bytes, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { adviceFor } from './health-figures.js'

/** Each reading is a row of the audit log, so there are not more of them than charts need. */
const EVERY_MS = 15_000
const ALL = 'all tools'

/** How all replicas are doing, and how they did in the last hour: for the operator. */
export function HealthScreen() {
  const client = useClient()
  const [tool, setTool] = useState(ALL)
  const { value, error, reload } = useLoaded(
    async () => client.call('get_server_health', tool === ALL ? {} : { tool }),
    [client, tool]
  )
  usePolling(reload, EVERY_MS)
  return (
    <div class="screen wide-screen">
      <div class="screen-head">
        <h1>Health</h1>
        <span class="grow" />
        {value !== undefined && (
          <Choice
            label="Calls and times of"
            value={tool}
            options={[ALL, ...value.tools.map(each => each.tool)].map(name => [name, name] as const)}
            onValue={setTool}
          />
        )}
      </div>
      <Failure error={error} onRetry={reload} />
      {value !== undefined && <HealthView health={value} />}
    </div>
  )
}

function HealthView({ health }: { health: Health }) {
  const { replicas, minutes, tools } = health
  const x = minutes.map(({ minute }) => Date.parse(minute) / 1000)
  const y = (of: (minute: Health['minutes'][number]) => number) => minutes.map(of)
  const last = minutes.at(-1)
  const sum = (of: (replica: Health['replicas'][number]) => number) => replicas.reduce((all, one) => all + of(one), 0)
  return (
    <>
      {adviceFor(health).map(advice => (
        <p key={advice} class="note failure" role="alert">
          {advice}
        </p>
      ))}
      <dl class="facts figures">
        <Fact name="Replicas up" value={`${replicas.filter(({ is_up }) => is_up).length} of ${replicas.length}`} />
        <Fact
          name="Connections in use"
          value={`${sum(({ connections }) => connections.in_use)} of ${sum(({ connections }) => connections.max)}`}
        />
        <Fact name="Calls that wait for one" value={String(sum(({ connections }) => connections.waiting))} />
        <Fact name="Messages the search waits for" value={(last?.search_waiting ?? 0).toLocaleString()} />
        <Fact name="Database" value={bytes(last?.database_bytes ?? 0)} />
      </dl>
      <div class="charts">
        <Chart
          title="Calls a second"
          x={x}
          lines={[
            { name: 'calls', y: y(({ calls_per_second }) => calls_per_second) },
            { name: 'failed', y: y(({ errors_per_second }) => errors_per_second) }
          ]}
        />
        <Chart
          title="Time of a call, ms"
          x={x}
          lines={[
            { name: 'p50', y: y(({ p50_ms }) => p50_ms) },
            { name: 'p95', y: y(({ p95_ms }) => p95_ms) },
            { name: 'p99', y: y(({ p99_ms }) => p99_ms) }
          ]}
        />
        <Chart
          title="Connections"
          x={x}
          lines={[
            { name: 'in use', y: y(({ connections_in_use }) => connections_in_use) },
            { name: 'waiting calls', y: y(({ calls_waiting }) => calls_waiting) }
          ]}
        />
        <Chart
          title="Messages the search index waits for"
          x={x}
          lines={[{ name: 'waiting', y: y(({ search_waiting }) => search_waiting) }]}
        />
        <Chart
          title="Memory of the replicas, MiB"
          x={x}
          lines={[{ name: 'resident', y: y(({ resident_bytes }) => Math.round(resident_bytes / 2 ** 20)) }]}
        />
        <Chart
          title="Database, MiB"
          x={x}
          lines={[{ name: 'size', y: y(({ database_bytes }) => Math.round(database_bytes / 2 ** 20)) }]}
        />
      </div>
      <h2>Replicas</h2>
      <Table heads={['Replica', 'State', 'Version', 'Started', 'Calls a second', 'Connections', 'Hints', 'Memory']}>
        {replicas.map(replica => (
          <tr key={`${replica.replica} ${replica.started_at}`}>
            <td>{visibleText(replica.replica)}</td>
            <td>
              {replica.is_up ? (
                'up'
              ) : (
                <>
                  silent since <Time at={replica.seen_at} />
                </>
              )}
            </td>
            <td>{replica.version}</td>
            <td>
              <Time at={replica.started_at} />
            </td>
            <td>{replica.calls_per_second}</td>
            <td>
              {replica.connections.in_use} of {replica.connections.max}
            </td>
            <td>{replica.event_hints === 'listen' ? 'arrive' : 'do not arrive'}</td>
            <td>{bytes(replica.resident_bytes)}</td>
          </tr>
        ))}
      </Table>
      <h2>Tools in the last hour</h2>
      <Table heads={['Tool', 'Calls', 'Failed', 'p50 ms', 'p95 ms', 'p99 ms']}>
        {tools.map(({ tool, success, error, p50_ms, p95_ms, p99_ms }) => (
          <tr key={tool}>
            <td>{tool}</td>
            <td>{(success + error).toLocaleString()}</td>
            <td>{error.toLocaleString()}</td>
            <td>{p50_ms}</td>
            <td>{p95_ms}</td>
            <td>{p99_ms}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
