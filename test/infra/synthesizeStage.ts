import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { AwsSolutionsChecks } from 'cdk-nag';
import { parseSettings } from '../../infra/settings/settings.ts';
import { addStacks } from '../../infra/stacks.ts';

/** One resource of a template, with the intrinsic functions in its properties resolved as far as tests look at them. */
export interface Resource {
  readonly template: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: string | undefined;
}

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** An app that leaves out what tests do not look at: bundles, where a construct was made, and the tree of constructs. */
export function makeApp({ validate }: { readonly validate: boolean }): App {
  return new App({
    analyticsReporting: false,
    treeMetadata: false,
    context: {
      'aws:cdk:bundling-stacks': [],
      'aws:cdk:disable-stack-trace': true,
      '@aws-cdk/core:validateAgainstDefaultRules': validate,
    },
  });
}

/** What was synthesised before in this process, by its settings: files share processes, and nobody changes a resource. */
const synthesized = new Map<string, readonly Resource[]>();

/** Synthesises all stacks of a stage without bundling. @param check whether findings are to be thrown */
export function synthesizeStage(
  given: Readonly<Record<string, unknown>>,
  check?: (app: App) => AwsSolutionsChecks,
): readonly Resource[] {
  if (check !== undefined) return synthesize(given, check);
  const key = JSON.stringify(given);
  const resources = synthesized.get(key) ?? synthesize(given, undefined);
  synthesized.set(key, resources);
  return resources;
}

function synthesize(
  given: Readonly<Record<string, unknown>>,
  check: ((app: App) => AwsSolutionsChecks) | undefined,
): readonly Resource[] {
  const app = makeApp({ validate: check !== undefined });
  addStacks(app, parseSettings({ stage: 'test', ...given }), ContainerImage.fromRegistry('worker'));
  if (check !== undefined) Validations.of(app).addPlugins(check(app));
  const { directory } = app.synth();
  return readdirSync(directory)
    .filter((file) => file.endsWith('.template.json'))
    .flatMap((file) => toResources(file, readFileSync(join(directory, file), 'utf8')));
}

interface RawResource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}

function toResources(template: string, text: string): readonly Resource[] {
  const { Resources = {} } = JSON.parse(text) as { readonly Resources?: Record<string, RawResource> };
  return Object.entries(Resources).map(([id, { Type, Properties = {}, DeletionPolicy }]) => ({
    template,
    id,
    type: Type,
    properties: resolved(Properties) as Record<string, unknown>,
    deletionPolicy: DeletionPolicy,
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
  if (entries.length === 1 && name === 'Fn::ImportValue') return `import:${String(resolved(argument))}`;
  if (entries.length === 1 && name === 'Fn::Join') {
    const [separator, parts] = argument as readonly [string, readonly unknown[]];
    return parts.map((part) => String(resolved(part))).join(separator);
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, resolved(inner)]));
}

/** The resources of a type. */
export function ofType(resources: readonly Resource[], type: string): readonly Resource[] {
  return resources.filter((resource) => resource.type === type);
}
