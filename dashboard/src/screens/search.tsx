import { useRef, useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { listKeys, useKeys } from '../parts/keys.js'
import { useLoaded, useSettled } from '../parts/load.js'
import { Empty, Failure } from '../parts/notes.js'
import { plural, shortText } from '../parts/text.js'
import { useClient } from '../signed-in.js'
import { SearchHits } from './search-hits.js'
import { Choice, Field } from '../parts/fields.js'

const SCOPES = [
  ['all', 'Everything'],
  ['public', 'Public messages'],
  ['private', 'My private messages']
] as const

/** Search across all sessions. */
export function SearchScreen({ query: given }: { query: string }) {
  const client = useClient()
  const [, navigate] = useLocation()
  const [query, setQuery] = useState(given)
  const [sender, setSender] = useState('')
  const [scope, setScope] = useState<(typeof SCOPES)[number][0]>('all')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [threshold, setThreshold] = useState(40)
  const [context, setContext] = useState(1)
  const asked = useSettled(query.trim())
  const from_whom = useSettled(sender.trim())
  const found = useLoaded(async () => {
    navigate(asked === '' ? '/search' : `/search/${encodeURIComponent(asked)}`, { replace: true })
    if (asked === '') return undefined
    return client.call('search_context', {
      query: asked,
      search_scope: scope,
      fuzzy_threshold: threshold,
      context,
      explain: true,
      limit: 30,
      ...(from_whom !== '' && { sender: from_whom }),
      ...(from !== '' && { start_time: new Date(from).toISOString() }),
      ...(to !== '' && { end_time: new Date(`${to}T23:59:59.999`).toISOString() })
    })
  }, [client, asked, from_whom, scope, from, to, threshold, context])
  const hits = found.value?.results
  // The newest ones are got while the search goes on, and the others of the results after it.
  const known = useRef(new Map<string, string>())
  const newest = useLoaded(async () => client.call('list_sessions', { limit: 200 }), [client])
  for (const { id, purpose } of newest.value?.sessions ?? []) known.current.set(id, purpose)
  useLoaded(async () => {
    if (newest.loading) return
    const missing = new Set(hits?.map(({ message }) => message.session_id).filter(id => !known.current.has(id)))
    const sessions = await Promise.allSettled(
      [...missing].map(async session_id => client.call('get_session', { session_id, message_limit: 0 }))
    )
    for (const each of sessions)
      if (each.status === 'fulfilled') known.current.set(each.value.session.id, each.value.session.purpose)
  }, [client, hits, newest.loading])
  const where = (session_id: string) => shortText(known.current.get(session_id) ?? session_id, 60)
  useKeys({
    ...listKeys('.hit-text')
  })
  return (
    <div class="screen">
      <h1>Search</h1>
      <div class="filters">
        <input
          type="search"
          autofocus
          class="wide-field"
          placeholder="Keywords or a question, over all sessions"
          aria-label="Search all sessions"
          value={query}
          onInput={event => {
            setQuery(event.currentTarget.value)
          }}
        />
      </div>
      <div class="filters">
        <Field label="Sender" value={sender} onValue={setSender} />
        <Choice label="Which" value={scope} options={SCOPES} onValue={setScope} />
        <label>
          From{' '}
          <input
            type="date"
            value={from}
            onChange={event => {
              setFrom(event.currentTarget.value)
            }}
          />
        </label>
        <label>
          To{' '}
          <input
            type="date"
            value={to}
            onChange={event => {
              setTo(event.currentTarget.value)
            }}
          />
        </label>
        <label>
          Score at least {threshold}
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            value={threshold}
            onChange={event => {
              setThreshold(Number(event.currentTarget.value))
            }}
          />
        </label>
        <label>
          Messages around{' '}
          <input
            type="number"
            min={0}
            max={5}
            value={context}
            onChange={event => {
              setContext(Number(event.currentTarget.value) || 0)
            }}
          />
        </label>
      </div>
      <Failure error={found.error} onRetry={found.reload} />
      {asked === '' && <Empty title="Ask in keywords or in a sentence." />}
      {found.value !== undefined && (
        <p class="hint" role="status">
          {found.value.results.length === 0
            ? 'Nothing was found. A lower score finds more.'
            : `${plural(found.value.results.length, 'result')} in ${Math.round(found.value.search_time_ms)} ms`}
          {found.value.partial && '; something may have been left out'}
        </p>
      )}
      <SearchHits
        hits={hits ?? []}
        query={asked}
        where={where}
        onOpen={({ session_id, seq }) => {
          navigate(`/sessions/${session_id}/${seq}`)
        }}
      />
    </div>
  )
}
