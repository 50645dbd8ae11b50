/**
 * Why a regular expression does not compile in the homeservers that read it: Python's `re` (Synapse) and Rust's `regex`
 * (Conduit, Tuwunel, continuwuity), which differ from each other and from JavaScript.
 */

/** Why an expression does not compile; a dialect is missing where nothing is known against it. */
export interface RegexProblems {
  readonly python?: string
  readonly rust?: string
}

const pythonEscapes = /[AbBdDsSwWZafnrtvxuUN0-9]/
const rustEscapes = /[AbBdDsSwWzafnrtvxuUpP]/

const quantifierPattern = /^\{(\d*)(,?)(\d*)\}/

/** What came last: nothing that can be repeated, something, a place between two signs, or something repeated. */
type Last = "nothing" | "atom" | "anchor" | "repeated"

class Scanner {
  readonly problems: { python?: string; rust?: string } = {}
  readonly #text: string
  #at = 0
  #depth = 0
  #last: Last = "nothing"

  constructor(text: string) {
    this.#text = text
  }

  scan(): RegexProblems {
    while (this.#at < this.#text.length) this.#sign(this.#text.charAt(this.#at))
    if (this.#depth > 0) this.#both("a ( is not closed")
    return this.problems
  }

  #both(reason: string): void {
    this.problems.python ??= reason
    this.problems.rust ??= reason
  }

  #sign(sign: string): void {
    switch (sign) {
      case "\\":
        return this.#escape()
      case "[":
        return this.#set()
      case "(":
        return this.#open()
      case ")":
        if (this.#depth === 0) this.#both("there is a ) without a (")
        else this.#depth--
        return this.#take(1, "atom")
      case "|":
        return this.#take(1, "nothing")
      case "^":
      case "$":
        return this.#take(1, "anchor")
      case "*":
      case "+":
      case "?":
        return this.#repeat(sign, 1)
      case "{":
        return this.#braces()
      default:
        return this.#take(1, "atom")
    }
  }

  #take(length: number, last: Last): void {
    this.#at += length
    this.#last = last
  }

  #escape(): void {
    const sign = this.#text.charAt(this.#at + 1)
    if (sign === "") this.#both("it ends with a backslash")
    this.#checkEscape(sign)
    const named = /^\\[pPN]\{[^}]*\}/.exec(this.#text.slice(this.#at))?.[0]
    if (named !== undefined) return this.#take(named.length, "atom")
    this.#take(2, /[AbBZz]/.test(sign) ? "anchor" : "atom")
  }

  #checkEscape(sign: string): void {
    if (/[A-Za-z]/.test(sign) && !pythonEscapes.test(sign)) this.problems.python ??= `\\${sign} means nothing`
    if (/[1-9]/.test(sign)) this.problems.rust ??= "it refers back to a group"
    else if (/[A-Za-z0-9]/.test(sign) && !rustEscapes.test(sign)) this.problems.rust ??= `\\${sign} means nothing`
  }

  #set(): void {
    let at = this.#at + 1
    if (this.#text.charAt(at) === "^") at++
    const first = at
    let from: string | undefined
    while (at < this.#text.length && (this.#text.charAt(at) !== "]" || at === first)) {
      const sign = this.#text.charAt(at)
      const isEscape = sign === "\\"
      if (isEscape) this.#checkEscape(this.#text.charAt(at + 1))
      const isRange = from !== undefined && sign === "-" && at + 1 < this.#text.length &&
        this.#text.charAt(at + 1) !== "]"
      if (isRange) {
        const to = this.#text.charAt(at + 1)
        if ((from ?? "").length > 1 || (to !== "\\" && (from ?? "") > to)) {
          this.#both("a range in [ ] goes backwards or has no end")
        }
        from = undefined
        at += to === "\\" ? 3 : 2
        continue
      }
      const escaped = this.#text.charAt(at + 1)
      from = isEscape ? (/[dDsSwW]/.test(escaped) ? `\\${escaped}` : escaped) : sign
      at += isEscape ? 2 : 1
    }
    if (at >= this.#text.length) this.#both("a [ is not closed")
    this.#at = at
    this.#take(1, "atom")
  }

  #open(): void {
    const rest = this.#text.slice(this.#at + 1)
    if (rest.startsWith("?#")) {
      this.problems.rust ??= "it has a comment"
      const end = rest.indexOf(")")
      if (end < 0) this.#both("a ( is not closed")
      this.#at = end < 0 ? this.#text.length : this.#at + end + 2
      return
    }
    this.#depth++
    if (!rest.startsWith("?")) return this.#take(1, "nothing")
    const kind = /^\?(?:P<[A-Za-z_]\w*>|<[A-Za-z_]\w*>|<?[=!]|P=|>|\(|[a-zA-Z]*-?[a-zA-Z]*[:)]|:)/.exec(rest)?.[0]
    if (kind === undefined) {
      this.#both("(? is followed by nothing that is known")
      return this.#take(2, "nothing")
    }
    if (/^\?<[A-Za-z_]/.test(kind)) this.problems.python ??= "a named group needs (?P<"
    if (/^\?<?[=!]/.test(kind)) this.problems.rust ??= "it looks ahead or behind"
    if (/^\?(?:P=|>|\()/.test(kind)) this.problems.rust ??= "it has a group that only some readers know"
    if (/^\?[a-zA-Z]*-?[a-zA-Z]*[:)]$/.test(kind)) this.#flags(kind)
    if (kind.endsWith(")")) {
      this.#depth--
      return this.#take(1 + kind.length, "anchor")
    }
    this.#take(1 + kind.length, "nothing")
  }

  #flags(kind: string): void {
    if (/[^?imsxauL:)-]/.test(kind)) this.problems.python ??= "it has a flag that is not known"
    if (/L/.test(kind)) this.problems.python ??= "it has a flag that is not for text"
    if (/[^?imsUuxR:)-]/.test(kind)) this.problems.rust ??= "it has a flag that is not known"
    if (kind.endsWith(")") && this.#at > 0) this.problems.python ??= "its flags are not at the start"
  }

  #braces(): void {
    const [all, least = "", comma = "", most = ""] = quantifierPattern.exec(this.#text.slice(this.#at)) ?? []
    if (all === undefined || (least === "" && comma === "")) {
      this.problems.rust ??= "a { has to be \\{"
      return this.#take(1, "atom")
    }
    if (least === "") this.problems.rust ??= "a { has to be \\{, or followed by a number"
    if (least === "" && most === "") return this.#repeat("{", all.length)
    if (most !== "" && Number(least) > Number(most)) this.#both("a repetition has a smaller number after a larger one")
    this.#repeat("{", all.length)
  }

  #repeat(sign: string, length: number): void {
    if (this.#last === "nothing") this.#both("a sign of repetition has nothing before it")
    if (this.#last === "anchor") this.problems.python ??= "a sign of repetition has nothing before it"
    // A second sign makes a repetition short, or keeps what it has taken.
    const isModifier = this.#last === "repeated" && (sign === "?" || sign === "+")
    if (this.#last === "repeated" && !isModifier) this.problems.python ??= "a repetition is repeated"
    this.#take(length, isModifier ? "atom" : "repeated")
    if (isModifier) this.#last = "repeated"
  }
}

/** Finds what is known against an expression; an empty answer is no proof that it compiles. */
export const problemsOf = (regex: string): RegexProblems => new Scanner(regex).scan()
