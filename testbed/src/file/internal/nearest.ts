/** Finds the names that somebody may have meant. */
import type { Synonyms } from "../../plan/Synonyms.ts"

/** A longer word is a mistake of another kind, and comparing it would cost the product of both lengths. */
const lengthMax = 64

const suggestionsMax = 3

const normalize = (word: string): string => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "")

/** How many letters have to be changed, added, left out or swapped with their neighbour. */
const distance = (a: string, b: string): number => {
  let twoAgo: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(Math.min(
        (last[j] ?? i) + 1,
        (row[j - 1] ?? j) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (twoAgo[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      ))
    }
    twoAgo = last
    last = row
  }
  return last[b.length] ?? a.length
}

/** The known names that are meant most likely, at most three of them, the nearest first. */
export const nearest = (
  found: string,
  known: ReadonlyArray<string>,
  synonyms: Synonyms = {}
): ReadonlyArray<string> => {
  if (found.length > lengthMax) return []
  const word = normalize(found)
  if (word === "") return []
  const spelledAlike = known.filter((name) => normalize(name) === word)
  if (spelledAlike.length > 0) return spelledAlike.slice(0, suggestionsMax)
  const meant = Object.entries(synonyms).flatMap(([synonym, names]) => normalize(synonym) === word ? names : [])
    .filter((name) => known.includes(name))
  if (meant.length > 0) return meant.slice(0, suggestionsMax)
  const measured = known.map((name) => {
    const other = normalize(name)
    const limit = Math.max(1, Math.floor(Math.max(word.length, other.length) / 3))
    return { name, distance: distance(word, other), limit }
  }).filter(({ distance, limit }) => distance <= limit)
  if (measured.length > 0) {
    const least = Math.min(...measured.map(({ distance }) => distance))
    return measured.filter(({ distance }) => distance === least).map(({ name }) => name).slice(0, suggestionsMax)
  }
  return word.length < 3
    ? []
    : known.filter((name) => normalize(name).includes(word) || word.includes(normalize(name))).slice(0, suggestionsMax)
}
