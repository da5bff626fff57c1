/** Every word one typing error away from a word of letters: one letter left out, added, exchanged, or two swapped. About 450 for eight letters. */
export function oneEditAway (word: string): string[] {
  const found = new Set<string>()
  const letters = alphabetOf(word)
  for (let i = 0; i <= word.length; i++) {
    const [before, after] = [word.slice(0, i), word.slice(i)]
    if (after.length > 0) found.add(before + after.slice(1))
    if (after.length > 1) found.add(before + after.charAt(1) + after.charAt(0) + after.slice(2))
    for (const letter of letters) {
      found.add(before + letter + after)
      if (after.length > 0) found.add(before + letter + after.slice(1))
    }
  }
  found.delete(word)
  return [...found]
}

const ALPHABETS: Array<[script: RegExp, letters: string]> = [
  [/\p{sc=Cyrillic}/u, 'абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ'],
  [/\p{sc=Greek}/u, 'αβγδεζηθικλμνξοπρσςτυφχψω']
]

function alphabetOf (word: string): string {
  return ALPHABETS.find(([script]) => script.test(word))?.[1] ?? 'abcdefghijklmnopqrstuvwxyz'
}
