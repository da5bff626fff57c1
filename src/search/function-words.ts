/**
 * English words that hold a sentence together and say nothing about what is asked for: the stop words of PostgreSQL's
 * English dictionary. Beside other words they need not be in a message; alone they are looked for like any word.
 */
const WORDS = `
  i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
  its itself they them their theirs themselves what which who whom this that these those am is are was were be been
  being have has had having do does did doing a an the and but if or because as until while of at by for with about
  against between into through during before after above below to from up down in out on off over under again further
  then once here there when where why how all any both each few more most other some such no nor not only own same so
  than too very s t can will just don should now`

/** What people wrap a question in besides: indefinite pronouns, modal verbs, verbs of saying, knowing and looking. */
const QUESTION_WORDS = `
  anyone anybody anything someone somebody something everyone everybody everything nobody nothing ever never could
  would should may might must shall say says said tell tells told know knows known knew mean means meant think thinks
  thought talk talks talked mention mentions mentioned find finds found see sees seen saw look looks looked show shows
  showed shown get gets got give gives gave given go goes went please whose`

const functionWords = new Set(WORDS.trim().split(/\s+/))
const questionWords = new Set(QUESTION_WORDS.trim().split(/\s+/))

const QUESTIONS_BEGIN_WITH = `who whom whose what which when where why how is are was were do does did has have had can
  could should would will may`
const BEGINS_A_QUESTION = new RegExp(`^(${QUESTIONS_BEGIN_WITH.split(/\s+/).join('|')})\\b`)

export function isFunctionWord(word: string): boolean {
  return functionWords.has(word)
}

export function isQuestion(phrase: string): boolean {
  return phrase.endsWith('?') || BEGINS_A_QUESTION.test(phrase)
}

/** Whether a word of this query says nothing about what is looked for. */
export function functionWordsOf(phrase: string): (word: string) => boolean {
  const question = isQuestion(phrase)
  return word => functionWords.has(word) || (question && questionWords.has(word))
}
