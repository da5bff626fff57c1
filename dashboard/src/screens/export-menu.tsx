import { useState } from 'preact/hooks'
import type { SessionView } from '../api/catalogue.js'
import { Dialog } from '../parts/dialog.js'
import { Failure } from '../parts/notes.js'
import { saveFile } from '../parts/save.js'
import { useClient } from '../signed-in.js'
import { sessionAsHtml, sessionAsLines } from './export.js'

const FORMATS = {
  lines: { name: 'JSON lines', extension: 'jsonl', type: 'application/x-ndjson', make: sessionAsLines },
  html: { name: 'One HTML file', extension: 'html', type: 'text/html', make: sessionAsHtml }
}

/** Saves the session, as one may see it, as a file. */
export function ExportMenu({ session }: { session: SessionView }) {
  const client = useClient()
  const [progress, setProgress] = useState<number | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const save = async (format: keyof typeof FORMATS) => {
    const { extension, type, make } = FORMATS[format]
    setProgress(0)
    setError(undefined)
    try {
      const parts = await make(client, session, setProgress)
      saveFile(parts, type, `${session.id}.${extension}`)
      setProgress(undefined)
    } catch (fault) {
      setError(fault)
    }
  }
  return (
    <>
      <select
        class="menu"
        aria-label="Export"
        value=""
        onChange={event => {
          const format = event.currentTarget.value as keyof typeof FORMATS
          event.currentTarget.value = ''
          void save(format)
        }}
      >
        <option value="">Export</option>
        {Object.entries(FORMATS).map(([value, { name }]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      {progress !== undefined && (
        <Dialog
          title="Export"
          onClose={() => {
            setProgress(undefined)
          }}
        >
          {error === undefined && <p role="status">{progress.toLocaleString()} messages so far …</p>}
          <Failure error={error} />
        </Dialog>
      )}
    </>
  )
}
