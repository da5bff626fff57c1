import type { MessageRow } from '../messages/store/messages.js'
import { preview } from './preview.js'
import type { Query } from './query.js'
import { scorer } from './rank.js'
import type { Found } from './scored.js'
import type { Candidate } from './texts.js'

export interface SearchResult {
  message: MessageRow
  score: number
  match_preview: string
}

/** What has been found so far, each message once, with its best score. */
export class Results {
  private readonly found = new Map<number, { message: MessageRow; score: number }>()
  /** Every message that has been scored, well or not. */
  private readonly seen = new Set<number>()
  private cut = false

  private readonly score: ReturnType<typeof scorer>

  constructor(
    private readonly query: Query,
    private readonly threshold: number
  ) {
    this.score = scorer(query)
  }

  /** @param lacking_too also those that lack more words than `missing`, far down */
  add({ candidates, cut }: Found, missing: 0 | 1, lacking_too = false): void {
    this.cut ||= cut
    for (const candidate of candidates) {
      this.seen.add(candidate.id)
      const { score, lacking } = this.score(candidate, missing)
      if (lacking > missing && !(lacking_too && lacking < this.query.words.length)) continue
      if (score < this.threshold || score <= (this.found.get(candidate.id)?.score ?? -1)) continue
      this.found.set(candidate.id, { message: messageOf(candidate), score })
    }
  }

  get count(): number {
    return this.found.size
  }

  get scored(): number[] {
    return [...this.seen]
  }

  get exact(): number {
    let exact = 0
    for (const { score } of this.found.values()) if (score === 100) exact++
    return exact
  }

  get partial(): boolean {
    return this.cut
  }

  best(limit: number): SearchResult[] {
    return [...this.found.values()]
      .sort(
        (a, b) =>
          b.score - a.score ||
          (a.message.timestamp < b.message.timestamp
            ? 1
            : a.message.timestamp > b.message.timestamp
              ? -1
              : b.message.id - a.message.id)
      )
      .slice(0, limit)
      .map(({ message, score }) => ({ message, score, match_preview: preview(message.content, this.query) }))
  }
}

function messageOf({
  id,
  session_id,
  seq,
  sender,
  sender_type,
  content,
  visibility,
  metadata,
  parent_message_id,
  timestamp
}: Candidate): MessageRow {
  return { id, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id, timestamp }
}
