import { useEffect, useState } from 'preact/hooks'
import type { Figures } from '../api/catalogue.js'
import { Chart } from '../parts/chart.js'
import { Failure } from '../parts/notes.js'
import { plural } from '../parts/text.js'
import { useClient } from '../signed-in.js'
import { adviceFor, rates } from './health-figures.js'
import { Table } from '../parts/table.js'

/** Each reading is a row of the audit log, so there are not more of them than a chart needs. */
const EVERY_MS = 15_000
/** An hour of readings. */
const KEPT = (60 * 60_000) / EVERY_MS

export interface Reading {
  /** Milliseconds since 1970. */
  at: number
  figures: Figures
}

/** How the replica that answers is doing: for the operator. */
export function HealthScreen() {
  const client = useClient()
  const [readings, setReadings] = useState<readonly Reading[]>([])
  const [error, setError] = useState<unknown>(undefined)
  useEffect(() => {
    let over = false
    const read = async () => {
      if (document.hidden) return
      try {
        const figures = await client.call('get_performance_metrics', {})
        if (over) return
        setReadings(was => [...was, { at: Date.now(), figures }].slice(-KEPT))
        setError(undefined)
      } catch (fault) {
        if (!over) setError(fault)
      }
    }
    void read()
    const timer = setInterval(() => void read(), EVERY_MS)
    return () => {
      over = true
      clearInterval(timer)
    }
  }, [client])
  const last = readings.at(-1)?.figures
  return (
    <div class="screen wide-screen">
      <h1>Health</h1>
      <Failure error={error} />
      {last !== undefined && <HealthView last={last} readings={readings} />}
    </div>
  )
}

function HealthView({ last, readings }: { last: Figures; readings: readonly Reading[] }) {
  const by_replica = readings.filter(({ figures }) => figures.replica === last.replica)
  const { seconds, calls, failures } = rates(by_replica)
  const series = (of: (figures: Figures) => number) => by_replica.map(({ figures }) => of(figures))
  const times = by_replica.map(({ at }) => at / 1000)
  const replicas = new Set(readings.map(({ figures }) => figures.replica)).size
  return (
    <>
      <p class="hint">
        {last.replica}, version {last.version}, up for {Math.round(last.uptime_seconds / 60).toLocaleString()} minutes.
        {replicas > 1 && ` ${replicas} replicas have answered; the charts are of the last one.`}
      </p>
      {adviceFor(last).map(advice => (
        <p key={advice} class="note failure" role="alert">
          {advice}
        </p>
      ))}
      <dl class="facts figures">
        <Fact name="Connections in use" value={`${last.pool.total - last.pool.idle} of ${last.pool.max}`} />
        <Fact name="Calls that wait for one" value={String(last.pool.waiting)} />
        <Fact name="Database" value={bytes(last.database.size_bytes)} />
        <Fact name="Memory of the process" value={bytes(last.process.resident_bytes)} />
        <Fact name="Messages, about" value={(last.database.estimated_rows.messages ?? 0).toLocaleString()} />
      </dl>
      <div class="charts">
        <Chart
          title="Calls a second"
          x={seconds}
          lines={[
            { name: 'calls', y: calls },
            { name: 'failed', y: failures }
          ]}
        />
        <Chart
          title="Connections"
          x={times}
          lines={[
            { name: 'in use', y: series(({ pool }) => pool.total - pool.idle) },
            { name: 'waiting calls', y: series(({ pool }) => pool.waiting) }
          ]}
        />
        <Chart
          title="Memory, MiB"
          x={times}
          lines={[{ name: 'resident', y: series(({ process }) => Math.round(process.resident_bytes / 2 ** 20)) }]}
        />
        <Chart
          title="Database, MiB"
          x={times}
          lines={[{ name: 'size', y: series(({ database }) => Math.round(database.size_bytes / 2 ** 20)) }]}
        />
      </div>
      <h2>Tools since the start of this replica</h2>
      <Table heads={['Tool', 'Calls', 'Failed', 'p50 ms', 'p95 ms', 'p99 ms']}>
        {last.tools
          .filter(({ success, error }) => success + error > 0)
          .sort((a, b) => b.success + b.error - a.success - a.error)
          .map(({ tool, success, error, p50_ms, p95_ms, p99_ms }) => (
            <tr key={tool}>
              <td>{tool}</td>
              <td>{plural(success + error, 'call')}</td>
              <td>{error}</td>
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

function bytes(count: number): string {
  return count >= 2 ** 30 ? `${(count / 2 ** 30).toFixed(1)} GiB` : `${Math.round(count / 2 ** 20)} MiB`
}
