/** Paths of all texts in a JSON schema. */
export function textsIn(given: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  const named = given['$defs'] as Record<string, Record<string, unknown>> | undefined;
  const find = (schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
    named?.[String(schema['$ref']).replace('#/$defs/', '')] ?? schema;
  return textsOf(given, find, []);
}

function textsOf(
  given: Readonly<Record<string, unknown>>,
  find: (schema: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
  path: readonly string[],
): readonly (readonly string[])[] {
  const {
    properties = {},
    anyOf = [],
    oneOf = [],
    additionalProperties,
    type,
  } = find(given) as {
    readonly properties?: Record<string, Record<string, unknown>>;
    readonly anyOf?: Record<string, unknown>[];
    readonly oneOf?: Record<string, unknown>[];
    readonly additionalProperties?: Record<string, unknown> | boolean;
    readonly type?: string;
  };
  return [
    ...(type === 'string' ? [path] : []),
    ...Object.entries(properties).flatMap(([name, part]) => textsOf(part, find, [...path, name])),
    ...[...anyOf, ...oneOf].flatMap((part) => textsOf(part, find, path)),
    ...(typeof additionalProperties === 'object' ? textsOf(additionalProperties, find, [...path, 'any']) : []),
  ];
}
