/**
 * The CDK app: `npx cdk synth`, with settings as context, for example `-c stage=prod -c shape=10k`. Every synthesis is
 * checked against the AWS Solutions rules of cdk-nag; a finding without a stated reason ends the synthesis.
 */
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { settingsOf, type Settings } from './settings/settings.ts';
import { addStacks } from './stacks.ts';

const root = join(import.meta.dirname, '..');
/**
 * Files that no worker needs. With them in the image, a change to one would look like another image, and all workers
 * would be replaced.
 */
const NOT_IN_IMAGE = [
  '.ci',
  '.git',
  '.github',
  '.holdfast',
  'cdk.out',
  'coverage',
  'docs',
  'functions',
  'infra',
  'node_modules',
  'ops',
  'test',
  '*.md',
  '.gitignore',
  '.oxlintrc.json',
  '.prettierignore',
  '.prettierrc.json',
  'cdk.json',
  'vitest.config.ts',
];

const app = new App();
const settings = readSettings();
addStacks(
  app,
  settings,
  ContainerImage.fromAsset(root, { file: 'Dockerfile', platform: Platform.LINUX_ARM64, exclude: NOT_IN_IMAGE }),
);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

function readSettings(): Settings {
  try {
    return settingsOf(app.node.getAllContext() as Readonly<Record<string, unknown>>);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return process.exit(1);
  }
}
