import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { AwsSolutionsChecks } from 'cdk-nag';
import { parseSettings } from '../../infra/settings/settings.ts';
import { addStacks } from '../../infra/stacks.ts';
import { hashOfSources, keptFolderNow } from '../../scripts/keptFolder.ts';
import { anyMediaImage } from './mediaImage.ts';

/** One resource of a template, with the intrinsic functions in its properties resolved as far as tests look at them. */
export interface Resource {
  readonly template: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: string | undefined;
  /** The ids of what must be there before. */
  readonly dependsOn: readonly string[];
}

/** The outputs of a template by their names, resolved like properties. */
export type Outputs = Readonly<Record<string, string>>;

interface Synthesis {
  readonly resources: readonly Resource[];
  /** The outputs of each stack, by its name. */
  readonly outputs: Readonly<Record<string, Outputs>>;
}

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** The flags of cdk.json, as the CLI hands them to the app. */
const cdkFlags = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../cdk.json'), 'utf8')) as {
    readonly context: Readonly<Record<string, unknown>>;
  }
).context;

/** An app that leaves out what tests do not look at: bundles, where a construct was made, and the tree of constructs. */
export function makeApp({ validate }: { readonly validate: boolean }): App {
  return new App({
    analyticsReporting: false,
    treeMetadata: false,
    // The rules that CDK brings along take ten seconds of a processor to load: they are asked where findings are looked at.
    builtinCloudFormationValidation: validate,
    context: {
      ...cdkFlags,
      'aws:cdk:bundling-stacks': [],
      'aws:cdk:disable-stack-trace': true,
      '@aws-cdk/core:validateAgainstDefaultRules': validate,
    },
  });
}

/** What was synthesised before in this process, by its settings: files share processes, and nobody changes a resource. */
const synthesized = new Map<string, Synthesis>();

/** Synthesises all stacks of a stage without bundling. @param check whether findings are to be thrown */
export function synthesizeStage(
  given: Readonly<Record<string, unknown>>,
  check?: (app: App) => AwsSolutionsChecks,
): readonly Resource[] {
  return (check === undefined ? synthesizeOnce(given) : synthesize(given, check)).resources;
}

/** The outputs of all stacks of a stage, by the names of the stacks. */
export function synthesizeOutputs(given: Readonly<Record<string, unknown>>): Synthesis['outputs'] {
  return synthesizeOnce(given).outputs;
}

/** All that a template is made of, apart from packages. */
const SOURCES = ['Dockerfile', 'cdk.json', 'functions', 'infra', 'ops', 'scripts', 'shared', 'test/infra', 'worker'];
/** Stages of a few branches. */
const KEPT = 80;
let sourcesHash: string | undefined;

/** A synthesis takes seconds, and several processes look at the same stages: the first one keeps it for the others. */
function synthesizeOnce(given: Readonly<Record<string, unknown>>): Synthesis {
  const key = JSON.stringify(given);
  const known = synthesized.get(key);
  if (known !== undefined) return known;
  sourcesHash ??= hashOfSources(SOURCES);
  const folder = keptFolderNow(
    { home: 'holdfast-templates', sources: [], also: [sourcesHash, key], most: KEPT },
    (making) => {
      mkdirSync(making);
      writeFileSync(join(making, 'synthesis.json'), JSON.stringify(synthesize(given, undefined)));
    },
  );
  const synthesis = JSON.parse(readFileSync(join(folder, 'synthesis.json'), 'utf8')) as Synthesis;
  synthesized.set(key, synthesis);
  return synthesis;
}

function synthesize(
  given: Readonly<Record<string, unknown>>,
  check: ((app: App) => AwsSolutionsChecks) | undefined,
): Synthesis {
  const templates = readTemplates(writeTemplates(given, check));
  return {
    resources: templates.flatMap(([file, template]) => toResources(file, template)),
    outputs: Object.fromEntries(
      templates.map(([file, { Outputs = {} }]) => [
        file.replace('.template.json', ''),
        Object.fromEntries(Object.entries(Outputs).map(([name, { Value }]) => [name, String(resolved(Value))])),
      ]),
    ),
  };
}

/** Synthesises all stacks of a stage. Returns the folder with their templates, `*.template.json`. */
export function writeTemplates(
  given: Readonly<Record<string, unknown>>,
  check?: (app: App) => AwsSolutionsChecks,
): string {
  const app = makeApp({ validate: check !== undefined });
  const images = {
    worker: ContainerImage.fromRegistry('worker'),
    media: anyMediaImage(),
    stream: ContainerImage.fromRegistry('stream'),
  };
  addStacks(app, parseSettings({ stage: 'test', ...given }), images);
  if (check !== undefined) Validations.of(app).addPlugins(check(app));
  return app.synth().directory;
}

/** The resources of all templates in a folder. */
export function readResources(directory: string): readonly Resource[] {
  return readTemplates(directory).flatMap(([file, template]) => toResources(file, template));
}

function readTemplates(directory: string): readonly (readonly [file: string, template: RawTemplate])[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => [file, JSON.parse(readFileSync(join(directory, file), 'utf8')) as RawTemplate]);
}

interface RawTemplate {
  readonly Resources?: Readonly<Record<string, RawResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

interface RawResource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

function toResources(template: string, { Resources = {} }: RawTemplate): readonly Resource[] {
  return Object.entries(Resources).map(([id, { Type, Properties = {}, DeletionPolicy, DependsOn = [] }]) => ({
    template,
    id,
    type: Type,
    properties: resolved(Properties) as Record<string, unknown>,
    deletionPolicy: DeletionPolicy,
    dependsOn: DependsOn,
  }));
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** A reference becomes the name of what it refers to; a join becomes its text. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  if (entries.length === 1 && name === 'Ref') return PSEUDO[String(argument)] ?? String(argument);
  if (entries.length === 1 && name === 'Fn::GetAtt') return (argument as readonly string[]).join('.');
  if (entries.length === 1 && name === 'Fn::Select') {
    const [, from] = argument as readonly [unknown, unknown];
    // A part of an ARN stands for what the ARN is of.
    if (isObject(from) && 'Fn::Split' in from) return resolved((from['Fn::Split'] as readonly unknown[])[1]);
  }
  if (entries.length === 1 && name === 'Fn::ImportValue') return `import:${String(resolved(argument))}`;
  if (entries.length === 1 && name === 'Fn::Join') {
    const [separator, parts] = argument as readonly [string, readonly unknown[]];
    return parts.map((part) => String(resolved(part))).join(separator);
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, resolved(inner)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The resources of a type. */
export function ofType(resources: readonly Resource[], type: string): readonly Resource[] {
  return resources.filter((resource) => resource.type === type);
}
