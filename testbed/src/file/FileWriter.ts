/**
 * Writes plans and scenarios as YAML.
 *
 * @since 0.1.0
 */
import { stringify } from "yaml"

/**
 * Plain data as YAML 1.2 that readers of YAML 1.1 read alike.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toYaml = (value: object): string =>
  stringify(value, { version: "1.2", compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false })
