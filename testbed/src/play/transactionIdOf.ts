/** Finds the transaction id in the body of a request, whatever else is in there; a body without one has none. */
const decoder = new TextDecoder()

export const transactionIdOf = (body: Uint8Array): string | undefined => {
  try {
    const json: unknown = JSON.parse(decoder.decode(body))
    return typeof json === "object" && json !== null && "transaction_id" in json &&
        typeof json.transaction_id === "string"
      ? json.transaction_id
      : undefined
  } catch {
    return undefined
  }
}
