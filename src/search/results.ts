import { messageIn, type MessageRow } from '../messages/store/messages.js'
import { choose, type Wanted } from './candidates.js'
import { fetched } from './fetch.js'
import { preview } from './preview.js'
import type { Rarity } from './rarity.js'
import type { Search } from './reach.js'
import { scorer } from './score.js'
import type { Spelt } from './spellings.js'
import { type Found, textsOf } from './texts.js'

export interface SearchResult {
  message: MessageRow
  score: number
  match_preview: string
  /** The words of the query that count, and how well each is met, 0–1. */
  terms: Array<{ term: string; weight: number; met: number }>
}

/** What has been found so far, each message once, with its best score. */
export class Results {
  private readonly found = new Map<number, SearchResult>()
  private score: ReturnType<typeof scorer> | undefined
  private rarity: Rarity | undefined
  partial = false

  constructor(private readonly search: Search) {}

  judgeBy(rarity: Rarity, spelt: Spelt): void {
    this.rarity = rarity
    this.score = scorer(this.search.query, rarity, spelt)
  }

  add({ candidates, cut }: Found): void {
    this.partial ||= cut
    const { query, threshold, filter } = this.search
    for (const { similarity, length, beside, ...message } of candidates) {
      const texts = textsOf(message, filter.search_metadata)
      const { score, met } = (this.score as ReturnType<typeof scorer>)({ texts, similarity, length, beside })
      if (score === 0 || score < threshold || score <= (this.found.get(message.id)?.score ?? -1)) continue
      const terms = query.units.map(({ text }, i) => ({
        term: text,
        weight: rounded(this.rarity?.weights[i] as number),
        met: rounded(met[i] as number)
      }))
      this.found.set(message.id, {
        message: messageIn(message),
        score,
        match_preview: preview(message.content, query),
        terms
      })
    }
  }

  /** Looks for what is wanted, and adds what it finds. */
  async find(wanted: readonly Wanted[], by: { all_words: boolean; is_misspelt: boolean }): Promise<void> {
    const choice = await choose(this.search, wanted, by.all_words)
    const total = wanted.reduce((sum, { weight }) => sum + weight, 0)
    this.add({ candidates: await fetched(this.search, choice, total, by), cut: choice.cut })
  }

  get count(): number {
    return this.found.size
  }

  get exact(): number {
    return [...this.found.values()].filter(({ score }) => score === 100).length
  }

  best(): SearchResult[] {
    return [...this.found.values()]
      .sort((a, b) => b.score - a.score || newestFirst(a.message, b.message))
      .slice(0, this.search.limit)
  }
}

function rounded(figure: number): number {
  return Math.round(figure * 100) / 100
}

function newestFirst(a: MessageRow, b: MessageRow): number {
  return a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : b.id - a.id
}
