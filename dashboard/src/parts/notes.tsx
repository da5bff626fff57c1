import type { ComponentChildren } from 'preact'
import type { StreamState } from '../api/events.js'
import { SharedContextError } from '../../../clients/typescript/src/index.js'
import { messageOf } from '../api/failure.js'
import { visibleText } from './text.js'

/** What went wrong, and what to do. Nothing for no error. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (error === undefined || error === null) return null
  return (
    <div class="note failure" role="alert">
      <p>{visibleText(messageOf(error))}</p>
      {error instanceof SharedContextError && error.suggestions.length > 0 && (
        <ul>
          {error.suggestions.map(each => (
            <li key={each}>{visibleText(each)}</li>
          ))}
        </ul>
      )}
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** An error that does not concern this screen. It stays until the reader closes it. */
export function Notice({ text, rest, onClose }: { text: string; rest: string; onClose: () => void }) {
  return (
    <div class="note failure" role="alert">
      <p>{visibleText(text)}</p>
      <p>{rest}</p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="note empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

const STATES: Record<StreamState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, trying again',
  over: 'Ended'
}

/** Whether what is shown is kept up to date. */
export function LiveState({ state }: { state: StreamState }) {
  return (
    <span class={`live live-${state}`} role="status">
      <span class="dot" aria-hidden="true" />
      {STATES[state]}
    </span>
  )
}
