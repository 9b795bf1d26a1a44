/** Every place in the API's document where a caller may write a text, and a request around it that is right but for that. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly body: unknown;
  readonly places: readonly Place[];
}

export type Place =
  | { readonly in: 'path' | 'query' | 'header'; readonly name: string }
  /** `path` leads there from the body; `key` puts the text in as a name. */
  | { readonly in: 'body' | 'key'; readonly path: readonly (string | number)[] };

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minimum?: number;
  readonly minItems?: number;
  readonly example?: unknown;
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
  };
}

interface RawOperation {
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

const METHODS: ReadonlySet<string> = new Set(['get', 'post', 'put', 'patch', 'delete']);

/** @param samples values for fields that not every text fits, by their names */
export function operationsOf(document: object, samples: Readonly<Record<string, unknown>>): readonly Operation[] {
  const { paths, components } = document as OpenApi;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => METHODS.has(method))
      .map(([method, operation]): Operation => {
        const schema = operation.requestBody?.content['application/json']?.schema;
        const parameters = (operation.parameters ?? []).map(
          (parameter) => components?.parameters?.[parameter.$ref?.split('/').at(-1) ?? ''] ?? parameter,
        );
        const body = schema === undefined ? undefined : sampleOf(schema, components, samples, '');
        return {
          method: method.toUpperCase(),
          path,
          isPublic: operation.security === undefined,
          body,
          places: [
            ...parameters.map(({ in: where, name }): Place => ({ in: where, name })),
            ...(schema === undefined ? [] : placesIn(schema, components, [])),
          ],
        };
      }),
  );
}

function deref(schema: Schema, components: OpenApi['components']): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (components?.schemas?.[name] ?? {});
}

function alternatives(schema: Schema): readonly Schema[] {
  return schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
}

function placesIn(
  given: Schema,
  components: OpenApi['components'],
  path: readonly (string | number)[],
): readonly Place[] {
  const schema = deref(given, components);
  const inner = alternatives(schema).flatMap((each) => placesIn(each, components, path));
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, each]) =>
    placesIn(each, components, [...path, name]),
  );
  const { items, additionalProperties: more } = schema;
  const listed = items === undefined ? [] : placesIn(items, components, [...path, 0]);
  const named: readonly Place[] =
    typeof more === 'object' ? [{ in: 'key', path }, ...placesIn(more, components, [...path, 'name'])] : [];
  const isText = schema.type === 'string' || schema.const !== undefined || schema.enum !== undefined;
  return [...(isText ? [{ in: 'body', path } as const] : []), ...inner, ...own, ...listed, ...named];
}

/** A value that the schema takes: what must be there, and nothing else. */
function sampleOf(
  given: Schema,
  components: OpenApi['components'],
  samples: Readonly<Record<string, unknown>>,
  name: string,
): unknown {
  const schema = deref(given, components);
  if (name in samples) return samples[name];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = alternatives(schema);
  if (first !== undefined) return sampleOf(first, components, samples, name);
  // Where no single field must be there, an example says what a request may be.
  if (schema.properties !== undefined && schema.required === undefined && schema.example !== undefined) {
    return schema.example;
  }
  if (schema.properties !== undefined) {
    const required = Object.entries(schema.properties).filter(([key]) => schema.required?.includes(key));
    return Object.fromEntries(required.map(([key, each]) => [key, sampleOf(each, components, samples, key)]));
  }
  if (schema.type === 'array') {
    const { items = {}, minItems = 0 } = schema;
    return Array.from({ length: minItems }, () => sampleOf(items, components, samples, name));
  }
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return true;
  if (schema.type === 'string') return 'text';
  return {};
}

/** A copy of a body with a text at a place, whatever stood there. */
export function withText(body: unknown, place: Extract<Place, { in: 'body' | 'key' }>, text: string): unknown {
  const path = place.in === 'key' ? [...place.path, text] : place.path;
  return putAt(body, path, place.in === 'key' ? 'value' : text);
}

function putAt(body: unknown, [head, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (head === undefined) return value;
  if (typeof head === 'number') return [putAt(undefined, rest, value)];
  const fields = typeof body === 'object' && body !== null ? body : {};
  const copy: Record<string, unknown> = { ...fields };
  // The object is made as JSON has it: `__proto__` is a name like any other.
  Object.defineProperty(copy, head, {
    value: putAt((fields as Record<string, unknown>)[head], rest, value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}
