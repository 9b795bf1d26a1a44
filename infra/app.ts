/**
 * The CDK app: `npx cdk synth`, with settings as context, for example `-c stage=prod -c shape=10k`. Every synthesis is
 * checked against the AWS Solutions rules of cdk-nag; a finding without a stated reason ends the synthesis.
 */
import { App, Validations } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { DockerImageCode } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { useBundles } from './constructs/bundle.ts';
import { makeDeployable } from './deployables.ts';
import { settingsOf, type Settings } from './settings/settings.ts';
import { addStacks } from './stacks.ts';

/**
 * The rules of CloudFormation that CDK brings along take half of a synthesis to load. The tests ask them about each shape, and a pipeline
 * about each pull request (`CI=true`): nobody waits for them at a desk.
 */
const app = new App({ builtinCloudFormationValidation: process.env['CI'] === 'true' });
const settings = readSettings();
const platform = Platform.LINUX_ARM64;
const [functions, worker, media, stream] = await Promise.all([
  makeDeployable('functions'),
  makeDeployable('worker'),
  makeDeployable('media'),
  settings.streamDomainName === undefined ? undefined : makeDeployable('stream'),
]);
useBundles(app, functions);
addStacks(app, settings, {
  worker: ContainerImage.fromAsset(worker, { platform }),
  media: DockerImageCode.fromImageAsset(media, { platform }),
  ...(stream === undefined ? {} : { stream: ContainerImage.fromAsset(stream, { platform }) }),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

function readSettings(): Settings {
  try {
    return settingsOf(app.node.getAllContext() as Readonly<Record<string, unknown>>);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return process.exit(1);
  }
}
