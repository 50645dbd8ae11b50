import { type Fault, varietyOf } from "../../testbed/src/fault/Fault.ts"
import type { Leg } from "../../testbed/src/step/Leg.ts"

/** The name of a variety of fault on a leg, such as `tls:expired@to_appservice`. */
export const legKeyOf = (leg: Leg, fault: Fault): string => `${varietyOf(fault)}@${leg}`
