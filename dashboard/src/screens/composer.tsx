import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { MessageView, Visibility } from '../api/catalogue.js'
import { useKeys } from '../parts/keys.js'
import { Failure } from '../parts/notes.js'
import { shortText } from '../parts/text.js'
import { useClient } from '../signed-in.js'

const VISIBILITIES: ReadonlyArray<readonly [Visibility, string]> = [
  ['public', 'Everybody'],
  ['agent_only', 'People only'],
  ['private', 'Only me'],
  ['admin_only', 'Admins']
]

/** Where a person writes a message. */
export function Composer({
  session_id,
  reply,
  onReplyEnd
}: {
  session_id: string
  reply: MessageView | undefined
  onReplyEnd: () => void
}) {
  const client = useClient()
  const [content, setContent] = useState('')
  const [visibility, setVisibility] = useState<Visibility>('public')
  const [error, setError] = useState<unknown>(undefined)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  /** Names what is being sent: sent again after a failure, it is written once. */
  const request = useRef(crypto.randomUUID())
  useKeys({ c: () => field.current?.focus() })
  useLayoutEffect(() => {
    if (reply !== undefined) field.current?.focus()
  }, [reply])

  const send = async () => {
    if (content.trim() === '' || busy) return
    setBusy(true)
    try {
      await client.call('add_message', {
        session_id,
        content,
        visibility,
        idempotency_key: request.current,
        ...(reply !== undefined && { parent_message_id: reply.id })
      })
      request.current = crypto.randomUUID()
      setContent('')
      setError(undefined)
      onReplyEnd()
    } catch (fault) {
      setError(fault)
    }
    setBusy(false)
  }
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      {reply !== undefined && (
        <p class="replying">
          Reply to {shortText(reply.sender, 40)}: {shortText(reply.content, 80)}
          <button type="button" class="plain-button" aria-label="Do not reply" onClick={onReplyEnd}>
            ✕
          </button>
        </p>
      )}
      <Failure error={error} />
      <textarea
        ref={field}
        rows={2}
        aria-label="Message"
        placeholder="Write a message. Ctrl+Enter sends it."
        value={content}
        onInput={event => {
          setContent(event.currentTarget.value)
          // Another text is another message.
          request.current = crypto.randomUUID()
        }}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault()
            void send()
          } else if (event.key === 'Escape') {
            event.currentTarget.blur()
          }
        }}
      />
      <div class="composer-foot">
        <label>
          Seen by{' '}
          <select
            value={visibility}
            onChange={event => {
              setVisibility(event.currentTarget.value as Visibility)
            }}
          >
            {VISIBILITIES.filter(([value]) => value !== 'admin_only' || client.can('admin')).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span class="grow" />
        <button type="submit" class="primary" disabled={busy || content.trim() === ''}>
          Send
        </button>
      </div>
    </form>
  )
}
