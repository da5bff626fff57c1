import { useState } from 'preact/hooks'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { useClient } from '../signed-in.js'
import { SearchHits } from './search-hits.js'
import { SidePanel } from './side-panel.js'

/** Search inside one session. */
export function SessionSearch({
  session_id,
  onClose,
  onOpen
}: {
  session_id: string
  onClose: () => void
  onOpen: (seq: number) => void
}) {
  const client = useClient()
  const [query, setQuery] = useState('')
  const asked = useSettled(query.trim())
  const found = useLoaded(
    async () =>
      asked === ''
        ? undefined
        : client.call('search_context', { session_id, query: asked, limit: 30, fuzzy_threshold: 30, explain: true }),
    [client, session_id, asked]
  )
  return (
    <SidePanel title="Search in this session" onClose={onClose}>
      <input
        type="search"
        autofocus
        placeholder="Keywords or a question"
        aria-label="Search in this session"
        value={query}
        onInput={event => {
          setQuery(event.currentTarget.value)
        }}
      />
      <Failure error={found.error} onRetry={found.reload} />
      {found.value?.results.length === 0 && <Empty title="Nothing was found." />}
      <SearchHits
        hits={found.value?.results ?? []}
        query={asked}
        onOpen={({ seq }) => {
          onOpen(seq)
        }}
      />
    </SidePanel>
  )
}
