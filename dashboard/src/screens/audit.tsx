import { useEffect, useState } from 'preact/hooks'
import type { AuditRow, Input } from '../api/catalogue.js'
import { readPages } from '../api/pages.js'
import { AgentName } from '../parts/agent.js'
import { Dialog } from '../parts/dialog.js'
import { listKeys, useKeys } from '../parts/keys.js'
import { saveFile } from '../parts/save.js'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { shortText, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { AuditVerification } from './audit-verification.js'
import { Field } from '../parts/fields.js'
import { Table } from '../parts/table.js'

const PAGE = 100
const EXPORT_PAGE = 1000

/** What was done, by whom and when: for admins. */
export function AuditScreen() {
  const client = useClient()
  const [agent, setAgent] = useState('')
  const [event_type, setEventType] = useState('')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [pages, setPages] = useState(1)
  const [shown, setShown] = useState<AuditRow | undefined>(undefined)
  const [exporting, setExporting] = useState<unknown>(undefined)
  const settled = [useSettled(agent.trim()), useSettled(event_type.trim())] as const
  const filter: Input<'get_audit_log'> = {
    ...(settled[0] !== '' && { agent_id: settled[0] }),
    ...(settled[1] !== '' && { event_type: settled[1] }),
    ...(from !== '' && { start_time: new Date(from).toISOString() }),
    ...(to !== '' && { end_time: new Date(to).toISOString() })
  }
  useEffect(() => {
    setPages(1)
  }, [...settled, from, to])
  const loaded = useLoaded(async () => {
    const read = await readPages(at => client.call('get_audit_log', { ...filter, limit: PAGE, ...at }), pages)
    return { entries: read.pages.flatMap(page => page.entries), has_more: read.has_more }
  }, [client, ...settled, from, to, pages])
  const save = async () => {
    const all = await readPages(at => client.call('get_audit_log', { ...filter, limit: EXPORT_PAGE, ...at }))
    const parts = all.pages.flatMap(({ entries }) => entries.map(entry => `${JSON.stringify(entry)}\n`))
    saveFile(parts, 'application/x-ndjson', 'audit-log.jsonl')
  }
  const entries = loaded.value?.entries
  useKeys({
    ...listKeys('td button')
  })
  return (
    <div class="screen wide-screen">
      <div class="screen-head">
        <h1>Audit</h1>
        <span class="grow" />
        <button type="button" onClick={loaded.reload}>
          Read again
        </button>
        <button
          type="button"
          onClick={() => {
            setExporting(undefined)
            save().catch(setExporting)
          }}
        >
          Export as JSON lines
        </button>
      </div>
      <AuditVerification />
      <div class="filters">
        <Field label="Agent" type="search" value={agent} onValue={setAgent} />
        <Field label="Event" placeholder="message_added" value={event_type} onValue={setEventType} />
        <Field label="From" type="datetime-local" value={from} onValue={setFrom} />
        <Field label="To" type="datetime-local" value={to} onValue={setTo} />
      </div>
      <Failure error={loaded.error ?? exporting} onRetry={loaded.reload} />
      {entries?.length === 0 && <Empty title="No row fits." />}
      {entries !== undefined && entries.length > 0 && (
        <Table heads={['When', 'Event', 'Who', 'What', 'Result', 'Look']}>
          {entries.map(entry => (
            <tr key={entry.id}>
              <td>
                <Time at={entry.timestamp} />
              </td>
              <td>{entry.event_type}</td>
              <td>{entry.agent_id !== null && <AgentName name={entry.agent_id} />}</td>
              <td>{shortText(entry.resource ?? entry.session_id ?? '', 60)}</td>
              <td>{entry.result}</td>
              <td>
                <button
                  type="button"
                  class="plain-button"
                  aria-label={`Detail of row ${entry.id}`}
                  onClick={() => {
                    setShown(entry)
                  }}
                >
                  Detail
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {loaded.value?.has_more === true && (
        <button
          type="button"
          class="more"
          onClick={() => {
            setPages(pages + 1)
          }}
        >
          Show more
        </button>
      )}
      {shown !== undefined && (
        <Dialog
          title={`Row ${shown.id}`}
          wide
          onClose={() => {
            setShown(undefined)
          }}
        >
          <pre class="code" tabIndex={0}>
            {visibleText(JSON.stringify(shown, null, 2))}
          </pre>
        </Dialog>
      )}
    </div>
  )
}
