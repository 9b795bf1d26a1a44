import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, Resource as ResourceSpec, SpecDatabase } from '@aws-cdk/service-spec-types';
import type { Resource } from '../synthesizeStage.ts';

/** What AWS says of its resources, from the schemas that CloudFormation itself uses; no code of ours is in it. */
let loaded: SpecDatabase | undefined;
function specs(): SpecDatabase {
  loaded ??= loadAwsServiceSpecSync();
  return loaded;
}

/** The schema of a type of resource; undefined when AWS knows no such type. */
function specOf(type: string): ResourceSpec | undefined {
  return specs().lookup('resource', 'cloudFormationType', 'equals', type)[0];
}

/** Types that CloudFormation or CDK brings, which are no resources of AWS. */
const NOT_OF_AWS = /^(?:AWS::CDK::Metadata|AWS::CloudFormation::CustomResource|Custom::.+)$/;

/** What the schema of a resource says against it: a property that there is not, one that is missing, a value that is none. */
export function objectionsTo({ type, id, properties }: Resource): readonly string[] {
  if (NOT_OF_AWS.test(type)) return [];
  const spec = specOf(type);
  if (spec === undefined) return [`${id}: AWS knows no ${type}`];
  return judgeFields(`${type} ${id}`, spec.properties, properties);
}

/** The properties for whose change AWS makes a new resource in place of the old one, and that differ between the two. */
export function replacedBy(before: Resource, after: Resource): readonly string[] {
  if (before.type !== after.type) return ['its type'];
  const properties = specOf(before.type)?.properties ?? {};
  return Object.entries(properties)
    .filter(([, { causesReplacement }]) => causesReplacement === 'yes' || causesReplacement === 'maybe')
    .map(([name]) => name)
    .filter((name) => JSON.stringify(before.properties[name]) !== JSON.stringify(after.properties[name]));
}

type Fields = Readonly<Record<string, Property>>;

function judgeFields(path: string, fields: Fields, value: Readonly<Record<string, unknown>>): readonly string[] {
  const unknown = Object.keys(value).filter((name) => fields[name] === undefined);
  const missing = Object.entries(fields).filter(([name, { required }]) => required === true && !(name in value));
  return [
    ...unknown.map((name) => `${path}: there is no property ${name}`),
    ...missing.map(([name]) => `${path}: ${name} is missing`),
    ...Object.entries(value).flatMap(([name, inner]) => {
      const field = fields[name];
      return field === undefined ? [] : judgeValue(`${path}.${name}`, field.type, inner);
    }),
  ];
}

function judgeValue(path: string, type: PropertyType, value: unknown): readonly string[] {
  if (isIntrinsic(value)) return [];
  switch (type.type) {
    case 'ref': {
      const definition = specs().get('typeDefinition', type.reference.$ref);
      return isObject(value) ? judgeFields(path, definition.properties, value) : [`${path} must be ${definition.name}`];
    }
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((one, index) => judgeValue(`${path}[${index}]`, type.element, one))
        : [`${path} must be a list`];
    case 'map':
      return isObject(value)
        ? Object.entries(value).flatMap(([name, one]) => judgeValue(`${path}.${name}`, type.element, one))
        : [`${path} must be an object`];
    case 'union': {
      const all = type.types.map((one) => judgeValue(path, one, value));
      return all.some((objections) => objections.length === 0) ? [] : (all[0] ?? []);
    }
    case 'string': {
      const { allowedValues } = type;
      if (typeof value !== 'string') return [`${path} must be text, not ${JSON.stringify(value)}`];
      return allowedValues === undefined || allowedValues.includes(value)
        ? []
        : [`${path} must be one of ${allowedValues.join(', ')}`];
    }
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} must be true or false, not ${JSON.stringify(value)}`];
    case 'number':
    case 'integer':
      return typeof value === 'number' ? [] : [`${path} must be a number, not ${JSON.stringify(value)}`];
    default:
      return [];
  }
}

/** A value that CloudFormation makes at the deploy. */
function isIntrinsic(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 1 && /^(?:Fn::|Ref$)/.test(Object.keys(value)[0] ?? '');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
