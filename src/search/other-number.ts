/** Fewer letters are left of no noun. */
const SINGULAR_MIN = 3

/**
 * What an English word may be in the singular, if it is a plural, or the other way round. A plural that only adds
 * letters is left out: it begins with the word, and is found by that. Guesses that are no words cost nothing: no
 * message has them.
 */
export function otherNumbers(word: string): string[] {
  const guesses: string[] = []
  if (/[^aeiou]ies$/.test(word)) guesses.push(`${word.slice(0, -3)}y`)
  if (/(?:[sxz]|[cs]h)es$/.test(word)) guesses.push(word.slice(0, -2))
  if (/[^su]s$/.test(word)) guesses.push(word.slice(0, -1))
  if (/[a-z][^aeiou]y$/.test(word)) guesses.push(`${word.slice(0, -1)}ies`)
  return guesses.filter(guess => guess.length >= SINGULAR_MIN)
}
