/**
 * What an unquoted word of YAML is to its readers: PyYAML, which reads YAML 1.1 for homeservers in Python, and the
 * readers of YAML 1.2. Each kind is a pattern of the types' definitions: https://yaml.org/type/ and
 * https://yaml.org/spec/1.2.2/#103-core-schema
 */

/** What PyYAML takes an unquoted word for; `undefined` means text. */
export type PythonType = "a boolean" | "a number" | "a date" | "nothing" | "a sign of its own"

const pythonTypes: ReadonlyArray<readonly [RegExp, PythonType]> = [
  [/^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/, "a boolean"],
  [/^(?:~|null|Null|NULL|)$/, "nothing"],
  [/^(?:=|<<)$/, "a sign of its own"],
  // Whole numbers: of base 10, 2, 8 (a leading 0), 16 and 60 (parts after colons).
  [/^[-+]?(?:0|[1-9][\d_]*|0b[01_]+|0[0-7_]+|0x[\da-fA-F_]+|[1-9][\d_]*(?::[0-5]?\d)+)$/, "a number"],
  [/^[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?$/, "a number"],
  [/^\.\d[\d_]*(?:[eE][-+]\d+)?$/, "a number"],
  [/^[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*$/, "a number"],
  [/^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/, "a number"],
  [/^\d{4}-\d\d-\d\d$/, "a date"],
  [
    /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/,
    "a date"
  ]
]

/** What PyYAML takes an unquoted word for; `undefined` means text. */
export const pythonType = (word: string): PythonType | undefined =>
  pythonTypes.find(([pattern]) => pattern.test(word))?.[1]

/** The value of an unquoted word in YAML 1.2. */
export const coreValue = (word: string): string | number | boolean | null => {
  if (/^(?:~|null|Null|NULL|)$/.test(word)) return null
  if (/^(?:true|True|TRUE)$/.test(word)) return true
  if (/^(?:false|False|FALSE)$/.test(word)) return false
  if (/^[-+]?(?:0|[1-9]\d*)$/.test(word) || /^0o[0-7]+$/.test(word) || /^0x[\da-fA-F]+$/.test(word)) return Number(word)
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(word)) return /^[-+]?0\d/.test(word) ? word : Number(word)
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity
  return /^\.(?:nan|NaN|NAN)$/.test(word) ? NaN : word
}
