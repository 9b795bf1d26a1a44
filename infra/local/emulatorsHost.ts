/** Child process of the embedded stack: the emulators of DynamoDB, SQS and S3. All end when this process ends. */
import { parseArgs } from 'node:util';
import { startDynamoDb } from './dynamoDb.ts';
import { startObjectServer } from './objects/objectServer.ts';
import { startQueueServer } from './queueServer.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    'dynamodb-port': { type: 'string' },
    'sqs-port': { type: 'string' },
    bucket: { type: 'string', default: 'local-media' },
    'dynamodb-local': { type: 'string' },
  },
});
const data = values.data ?? '.';

try {
  const dynamoDb = await startDynamoDb({
    port: Number(values['dynamodb-port'] ?? 0),
    dataFile: `${data}/dynamodb.sqlite`,
    local: values['dynamodb-local'],
  });
  process.on('exit', () => dynamoDb.process.kill('SIGKILL'));
  const queues = await startQueueServer({ port: Number(values['sqs-port'] ?? 0), dataDir: `${data}/queues` });
  const objects = await startObjectServer({ port: 0, bucket: values.bucket, dataDir: `${data}/objects` });
  dynamoDb.process.once('exit', () => {
    process.stderr.write('the DynamoDB emulator stopped\n');
    process.exit(1);
  });
  process.stdout.write(
    `${JSON.stringify({ ready: true, dynamoDb: dynamoDb.endpoint, dynamoDbPid: dynamoDb.process.pid, sqs: queues.endpoint, s3: objects.endpoint })}\n`,
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      dynamoDb.process.removeAllListeners('exit');
      void Promise.all([queues.stop(), objects.stop(), dynamoDb.stop()]).then(() => process.exit(0));
    });
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
