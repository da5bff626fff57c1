import type { Random } from '../corpus/random.js'

/** Typing errors as fingers make them. Each gives a text unlike the word it got, or undefined where it cannot. */
export type Slip = (word: string, random: Random) => string | undefined

const KEYBOARD = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm']

function neighbour(letter: string, random: Random): string | undefined {
  for (const row of KEYBOARD) {
    const at = row.indexOf(letter)
    if (at !== -1) return random.pick([row[at - 1], row[at + 1]].filter(key => key !== undefined))
  }
  return undefined
}

const splice = (word: string, at: number, removed: number, put: string) =>
  word.slice(0, at) + put + word.slice(at + removed)

export const wrongLetter: Slip = (word, random) => {
  const at = random.int(0, word.length - 1)
  const key = neighbour(word[at] as string, random)
  return key === undefined ? undefined : splice(word, at, 1, key)
}

export const swappedLetters: Slip = (word, random) => {
  const at = random.int(0, word.length - 2)
  const [a, b] = [word[at] as string, word[at + 1] as string]
  return a === b ? undefined : splice(word, at, 2, b + a)
}

export const missingLetter: Slip = (word, random) => splice(word, random.int(0, word.length - 1), 1, '')

export const extraLetter: Slip = (word, random) => {
  const at = random.int(0, word.length - 1)
  const put = random.chance(0.5) ? word[at] : neighbour(word[at] as string, random)
  return put === undefined ? undefined : splice(word, at + 1, 0, put)
}

/** Two errors, one in each half of the word. */
export const twoErrors: Slip = (word, random) => {
  const slips = [wrongLetter, swappedLetters, missingLetter, extraLetter]
  const half = Math.floor(word.length / 2)
  const first = random.pick(slips)(word.slice(0, half), random)
  const second = random.pick(slips)(word.slice(half), random)
  return first === undefined || second === undefined ? undefined : first + second
}

/** What nobody could read any more: most letters others, at places of their own. */
export const beyondRecognition: Slip = (word, random) =>
  random
    .shuffle([...word])
    .map(letter => (random.chance(0.6) ? random.pick([...'qwertyuiopasdfghjklzxcvbnm']) : letter))
    .join('')
