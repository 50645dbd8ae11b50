/** Describes a body without repeating it. */
import * as Json from "@appservice-ping/domain/Json"
import { Predicate } from "effect"

/** Whether a body is a JSON object, as an appservice answers. */
export const isJsonObject = (body: string): boolean => Predicate.isObject(Json.parse(body))

/** The errcode of a Matrix error, or of something like it. */
export const errcodeOf = (body: string): string | undefined => {
  const json = Json.parse(body)
  return Predicate.isObject(json) && typeof json["errcode"] === "string" ? json["errcode"] : undefined
}

/** The text of a Matrix error. */
export const errorOf = (body: string): string => {
  const json = Json.parse(body)
  return Predicate.isObject(json) && typeof json["error"] === "string" ? json["error"] : ""
}

/** Whether a body is a web page. */
export const isHtml = (body: string): boolean => /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(body)

/** Whether an answer is that of a forward proxy: the status that only such a one has, or its page. */
export const isForwardProxy = ({ body, status }: { readonly body: string; readonly status: number }): boolean =>
  status === 407 || /requested URL could not be retrieved|\bprivoxy\b|\btinyproxy\b/i.test(body)
