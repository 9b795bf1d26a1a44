/** The CDK app: `npx cdk synth -c stage=dev`. Holds the parts that exist: tables and queues. */
import { App, Tags } from 'aws-cdk-lib';
import { DataStack } from './dataStack.ts';
import { QueueStack } from './queueStack.ts';
import { parseSettings } from './settings.ts';

const app = new App();
const settings = parseSettings(
  Object.fromEntries(
    ['stage', 'shardCount'].flatMap((name) => {
      const value: unknown = app.node.tryGetContext(name);
      return value === undefined ? [] : [[name, value]];
    }),
  ),
);
new DataStack(app, `${settings.stage}-data`, { stage: settings.stage });
new QueueStack(app, `${settings.stage}-queues`, { stage: settings.stage, shardCount: settings.shardCount });
Tags.of(app).add('product', 'holdfast');
Tags.of(app).add('stage', settings.stage);
