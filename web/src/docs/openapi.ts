/** The parts of an OpenAPI 3.1 description that the page shows. */

export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  items?: Schema;
  prefixItems?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}

type Content = Record<string, { schema?: Schema }>;

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

export interface OpenApi {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export const nameOf = (ref: string) => ref.slice(ref.lastIndexOf("/") + 1);

/** A schema in one line, e.g. `Stop[]` or `number | null`. */
export function brief(schema: Schema | undefined): string {
  if (!schema) return "";
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.allOf;
  if (choices) return choices.map(brief).join(" | ");
  if (schema.prefixItems) return `[${schema.prefixItems.map(brief).join(", ")}]`;
  if (schema.type === "array") return `${brief(schema.items) || "any"}[]`;
  if (typeof schema.additionalProperties === "object")
    return `{ name: ${brief(schema.additionalProperties)} }`;
  return schema.format ?? schema.type ?? "any";
}
