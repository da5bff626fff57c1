import type { MessageView, SearchHit } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Marked } from '../parts/marked-text.js'
import { shortText } from '../parts/text.js'
import { Time } from '../parts/time.js'

/** What a search found, best first: the score, where the words stand, and why. */
export function SearchHits({
  hits,
  query,
  onOpen,
  where
}: {
  hits: readonly SearchHit[]
  query: string
  onOpen: (message: MessageView) => void
  /** Names the session of a message, where the search goes across sessions. */
  where?: (session_id: string) => string
}) {
  return (
    <ol class="hits">
      {hits.map(({ message, score, match_preview, relevance, terms, before, after }) => (
        <li key={message.id} class="hit">
          <div class="hit-head">
            <span class={`score score-${relevance}`} title={`Score ${score} of 100: ${relevance} relevance`}>
              {Math.round(score)}
            </span>
            <AgentName name={message.sender} />
            <Time at={message.timestamp} />
            {where !== undefined && <span class="hit-where">{where(message.session_id)}</span>}
          </div>
          {before?.map(each => (
            <p key={each.id} class="around">
              {shortText(each.sender, 30)}: {shortText(each.content, 160)}
            </p>
          ))}
          <button
            type="button"
            class="hit-text"
            onClick={() => {
              onOpen(message)
            }}
          >
            <Marked text={match_preview} query={query} />
          </button>
          {after?.map(each => (
            <p key={each.id} class="around">
              {shortText(each.sender, 30)}: {shortText(each.content, 160)}
            </p>
          ))}
          {terms !== undefined && terms.length > 0 && (
            <p class="terms">
              {terms.map(({ term, met, weight }) => (
                <span
                  key={term}
                  class={met > 0 ? 'term met' : 'term'}
                  title={`Found to ${Math.round(met * 100)} %, weight ${weight.toFixed(1)}`}
                >
                  {shortText(term, 40)}
                </span>
              ))}
            </p>
          )}
        </li>
      ))}
    </ol>
  )
}
