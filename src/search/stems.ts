import snowball from 'snowball-stemmers'

/**
 * Stems: what is left of a word without its endings, so that `migrations` is found by `migration`. Each text has one
 * language besides English, which identifiers and code are written in everywhere.
 */
export type Language = string

export const ENGLISH: Language = 'english'

/** The commonest small words of a language that English does not have, by which it is known. */
const SMALL_WORDS: Record<Language, string> = {
  german: 'der die das und ist nicht ein eine einen den dem mit von für auf sich wir ich sie auch wird noch bei zu im',
  french: 'le la les et est pas une des du que qui dans pour sur avec nous vous il elle ce cette sont au aux mais',
  spanish: 'el los las y es una del que en por con para se lo está como pero su más son hay esta',
  italian: 'il gli che di è una del della per con non sono si anche alla questo nel dei più ma',
  portuguese: 'os as uma que do da em não para com é por mais dos das foi ao seu está são',
  dutch: 'het een en van is niet dat op te zijn voor met ik je maar er ook aan wordt deze',
  swedish: 'och att det är en ett som på för med inte av jag vi har till den var om',
  danish: 'og at det er en et som på for med ikke af jeg vi har til den der var',
  norwegian: 'og at det er en et som på for med ikke av jeg vi har til den der var',
  finnish: 'ja on ei se että oli ovat mutta tämä kun myös hän joka mitä nyt',
  hungarian: 'az és egy hogy nem van ez volt meg csak már mint vagy azt',
  romanian: 'și este în la cu nu pe un o care din sau mai sunt pentru',
  turkish: 've bir bu için ile çok daha gibi ama var değil olarak ne kadar'
}

/** Scripts whose language is taken as given. */
const SCRIPTS: Array<[script: RegExp, language: Language]> = [
  [/\p{sc=Cyrillic}/u, 'russian'],
  [/\p{sc=Arabic}/u, 'arabic'],
  [/\p{sc=Armenian}/u, 'armenian'],
  [/\p{sc=Tamil}/u, 'tamil']
]

const LATIN: Language[] = Object.keys(SMALL_WORDS)
const byWord = new Map<string, Language[]>()
for (const language of LATIN)
  for (const word of (SMALL_WORDS[language] as string).split(' '))
    byWord.set(word, [...(byWord.get(word) ?? []), language])

/** Words that are looked at to guess a language, and how many small words of it must be among them. */
const LOOKED_AT = 80
const SMALL_WORDS_MIN = 2

/** A cheap guess of the language that words in lower case are in: by their script, or by small words. */
export function languageOf(words: readonly string[]): Language {
  const counts = new Map<Language, number>()
  for (const word of words.slice(0, LOOKED_AT)) {
    for (const language of byWord.get(word) ?? []) counts.set(language, (counts.get(language) ?? 0) + 1)
    const first = word.charCodeAt(0)
    if (first >= 0x370)
      for (const [script, language] of SCRIPTS)
        if (script.test(word)) counts.set(language, (counts.get(language) ?? 0) + SMALL_WORDS_MIN)
  }
  let best = ENGLISH
  let most = SMALL_WORDS_MIN - 1
  for (const [language, count] of counts) if (count > most) [best, most] = [language, count]
  return best
}

/** Languages that one word may be in, where nothing else tells. */
export function languagesOfWord(word: string): Language[] {
  const script = SCRIPTS.find(([of]) => of.test(word))
  if (script !== undefined) return [script[1]]
  return /[\u00c0-\u024f]/u.test(word) ? LATIN : []
}

const stemmers = new Map<Language, (word: string) => string>()

/** Longer words have no endings worth taking off: identifiers, mostly. Taking them off takes up to 0.4 ms a word. */
const STEMMED_MAX = 24
/** Stems that are remembered for each language; what comes again and again takes no time. */
const REMEMBERED_MAX = 20_000

/** The stem of a word in lower case. */
export function stem(language: Language, word: string): string {
  let of = stemmers.get(language)
  if (of === undefined) stemmers.set(language, (of = remembering(snowball.newStemmer(language))))
  return word.length > STEMMED_MAX ? word : of(word)
}

function remembering(stemmer: { stem(word: string): string }): (word: string) => string {
  let young = new Map<string, string>()
  let old = young
  return word => {
    let found = young.get(word)
    if (found !== undefined) return found
    if (young.size >= REMEMBERED_MAX / 2) [old, young] = [young, new Map<string, string>()]
    // What is cut out of a message holds all of it in memory; a copy does not.
    const own = Buffer.from(word).toString()
    young.set(own, (found = old.get(own) ?? (stemmer.stem(own) || own)))
    return found
  }
}
