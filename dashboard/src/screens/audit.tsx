import { useState } from 'preact/hooks'
import type { AuditRow, Input, Output } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Dialog } from '../parts/dialog.js'
import { saveFile } from '../parts/save.js'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { shortText, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { AuditVerification } from './audit-verification.js'

const PAGE = 100
const EXPORT_PAGE = 1000

/** What was done, by whom and when: for admins. */
export function AuditScreen() {
  const client = useClient()
  const [agent, setAgent] = useState('')
  const [event_type, setEventType] = useState('')
  const [from, setFrom] = useState('')
  const [pages, setPages] = useState(1)
  const [shown, setShown] = useState<AuditRow | undefined>(undefined)
  const [exporting, setExporting] = useState<unknown>(undefined)
  const settled = [useSettled(agent.trim()), useSettled(event_type.trim())] as const
  const filter: Input<'get_audit_log'> = {
    ...(settled[0] !== '' && { agent_id: settled[0] }),
    ...(settled[1] !== '' && { event_type: settled[1] }),
    ...(from !== '' && { start_time: new Date(from).toISOString() })
  }
  const loaded = useLoaded(async () => {
    const entries: AuditRow[] = []
    let cursor: string | null = null
    for (let page = 0; page < pages; page++) {
      const answer: Output<'get_audit_log'> = await client.read('get_audit_log', {
        ...filter,
        limit: PAGE,
        ...(cursor !== null && { cursor })
      })
      entries.push(...answer.entries)
      cursor = answer.next_cursor
      if (!answer.has_more) break
    }
    return { entries, has_more: cursor !== null }
  }, [client, ...settled, from, pages])
  const save = async () => {
    const parts: string[] = []
    for (let cursor: string | null = null, more = true; more;) {
      const answer: Output<'get_audit_log'> = await client.read('get_audit_log', {
        ...filter,
        limit: EXPORT_PAGE,
        ...(cursor !== null && { cursor })
      })
      for (const entry of answer.entries) parts.push(`${JSON.stringify(entry)}\n`)
      cursor = answer.next_cursor
      more = answer.has_more
    }
    saveFile(parts, 'application/x-ndjson', 'audit-log.jsonl')
  }
  const entries = loaded.value?.entries
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
        <label>
          Agent{' '}
          <input
            type="search"
            value={agent}
            onInput={event => {
              setAgent(event.currentTarget.value)
            }}
          />
        </label>
        <label>
          Event{' '}
          <input
            type="text"
            placeholder="message_added"
            value={event_type}
            onInput={event => {
              setEventType(event.currentTarget.value)
            }}
          />
        </label>
        <label>
          From{' '}
          <input
            type="datetime-local"
            value={from}
            onInput={event => {
              setFrom(event.currentTarget.value)
            }}
          />
        </label>
      </div>
      <Failure error={loaded.error ?? exporting} onRetry={loaded.reload} />
      {entries?.length === 0 && <Empty title="No row fits." />}
      {entries !== undefined && entries.length > 0 && (
        <div class="table-scroll" tabIndex={0}>
          <table class="audit">
            <thead>
              <tr>
                <th>When</th>
                <th>Event</th>
                <th>Who</th>
                <th>What</th>
                <th>Result</th>
                <th>Look</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
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
