import type { Random } from './random.js'

const ONSETS = [
  'b',
  'br',
  'c',
  'cl',
  'd',
  'dr',
  'f',
  'g',
  'gr',
  'h',
  'j',
  'k',
  'kr',
  'l',
  'm',
  'n',
  'p',
  'pl',
  'q',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
  'w',
  'y',
  'z',
  'th',
  'sh'
]
const NUCLEI = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'io', 'ou', 'y']
const CODAS = ['', '', '', 'n', 'r', 'l', 's', 'm', 'x', 'k', 'nd', 'rt']

/** A name that could be one: Velkaro, Tomirend. */
export function syllableName(random: Random): string {
  const syllable = () => random.pick(ONSETS) + random.pick(NUCLEI) + random.pick(CODAS)
  const name = Array.from({ length: random.chance(0.6) ? 2 : 3 }, syllable).join('')
  return (name.charAt(0).toUpperCase() + name.slice(1)).replace(/q(?!u)/giu, 'qu')
}

/** A word that no one has written: its sounds follow each other as in no language of the corpus. */
export function inventedWord(random: Random): string {
  const odd = [
    'zv',
    'xq',
    'wub',
    'glof',
    'krij',
    'fnor',
    'quz',
    'vlim',
    'tzek',
    'jop',
    'drux',
    'bwee',
    'ghy',
    'pfal',
    'mxyl',
    'snuv',
    'yib',
    'hroq',
    'cwim',
    'dzal'
  ]
  const vowels = ['a', 'e', 'i', 'o', 'u', 'ee', 'oo']
  return (
    Array.from({ length: 2 }, () => random.pick(odd) + random.pick(vowels)).join('') +
    random.pick(['', 'n', 'b', 'x', 'rf', 'mp'])
  )
}
