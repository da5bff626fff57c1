import type { Corpus } from '../corpus.js'
import { random } from '../corpus/random.js'
import { FUNCTION_WORDS } from '../corpus/words.js'
import type { Session } from './layout.js'

export interface Question {
  kind: string
  text: string
}

const EACH = { answered: 5, unanswered: 3 }

/**
 * What is asked of a session: some of every kind of the quality program, and what is hard on an index alone, in an
 * order shuffled by the seed.
 */
export function questions(corpus: Corpus, { name, size }: Session): Question[] {
  const draw = random(`${corpus.words.seed}/questions/${name}`)
  const common = () => Array.from({ length: 3 }, () => draw.pick(FUNCTION_WORDS.slice(0, 60))).join(' ')
  const times = (count: number, kind: string, text: () => string | undefined) =>
    Array.from({ length: count }, text).flatMap(text => (text === undefined ? [] : [{ kind, text }]))
  return draw.shuffle([
    ...corpus.queries(name, size, EACH).map(({ kind, text }) => ({ kind, text })),
    ...times(4, 'stop words only', common),
    ...times(4, 'three common words', () =>
      [corpus.words.technical, corpus.words.nouns, corpus.words.verbs]
        .map(list => (list[draw.int(0, 8)] as string).replace('+', ''))
        .join(' ')
    ),
    ...times(2, 'one letter', () => draw.pick([...'aeinst'])),
    ...times(3, 'punctuation', () => draw.pick(['->', '::', '@', '(', '%', '_', '\\', '"', '=>', '...'])),
    ...times(1, 'emoji that is nowhere', () => '🦩'),
    ...times(5, RARE, () => rareWord(corpus, name, size, draw.int(1, size)))
  ])
}

/** Rare words alone, each from another session, to be looked for in all of them. */
export function rareWords(corpus: Corpus, sessions: Session[]): Question[] {
  const draw = random(`${corpus.words.seed}/rare`)
  return draw
    .shuffle(sessions)
    .slice(0, 40)
    .flatMap(({ name, size }) => {
      const text = rareWord(corpus, name, size, draw.int(1, size))
      return text === undefined ? [] : [{ kind: RARE, text }]
    })
}

const RARE = 'rare word'

/** Names from this rank on stand in few messages of a million. */
const RARE_FROM = 4000

function rareWord(corpus: Corpus, name: string, size: number, from: number): string | undefined {
  const rare = new Set(corpus.words.names.slice(RARE_FROM))
  for (let i = 0; i < Math.min(size, 2000); i++) {
    const { content, visibility } = corpus.message(name, ((from + i) % size) + 1)
    const found = visibility === 'public' ? content.match(/\p{Lu}\p{Ll}+/gu)?.find(word => rare.has(word)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
