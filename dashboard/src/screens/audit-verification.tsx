import { useState } from 'preact/hooks'
import type { Output } from '../api/catalogue.js'
import { readPages } from '../api/pages.js'
import { Failure } from '../parts/notes.js'
import { useClient } from '../signed-in.js'

type Verification = Output<'verify_audit_log'>

/** Asks the service to prove the audit log, and shows what it found. */
export function AuditVerification() {
  const client = useClient()
  const [rows, setRows] = useState(0)
  const [found, setFound] = useState<Verification | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const [busy, setBusy] = useState(false)
  const verify = async () => {
    setBusy(true)
    setError(undefined)
    setFound(undefined)
    let checked = 0
    try {
      const { pages } = await readPages(async from => {
        const page = await client.call('verify_audit_log', from)
        setRows((checked += page.rows_checked))
        return page
      })
      setFound(pages.at(-1))
    } catch (fault) {
      setError(fault)
    }
    setBusy(false)
  }
  return (
    <div class="verification">
      <button type="button" disabled={busy} onClick={() => void verify()}>
        {busy ? `Verifying, ${rows.toLocaleString()} rows so far …` : 'Verify the log'}
      </button>
      {found !== undefined && <Result found={found} rows={rows} />}
      <Failure error={error} />
    </div>
  )
}

function Result({ found: { state, fault, not_yet_chained, last_head }, rows }: { found: Verification; rows: number }) {
  if (state === 'off')
    return (
      <p class="note" role="status">
        Nobody can prove this log: the server has no key for it. The operator sets AUDIT_HMAC_KEY.
      </p>
    )
  if (state === 'faulty')
    return (
      <p class="note failure" role="alert">
        <strong>The log was changed.</strong> {fault?.explanation}
      </p>
    )
  return (
    <p class="note good" role="status">
      <strong>Intact.</strong> {rows.toLocaleString()} rows are as they were written
      {last_head !== null && `, signed up to number ${last_head.seq}`}
      {not_yet_chained > 0 && `; ${not_yet_chained} are too young to be in the chain`}.
    </p>
  )
}
