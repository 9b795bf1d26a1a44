/** Child process of the embedded stack: the DynamoDB and the SQS emulator. Both end when this process ends. */
import { parseArgs } from 'node:util';
import { startDynamoDb } from './dynamoDb.ts';
import { startQueueServer } from './queueServer.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    'dynamodb-port': { type: 'string' },
    'sqs-port': { type: 'string' },
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
  dynamoDb.process.once('exit', () => {
    process.stderr.write('the DynamoDB emulator stopped\n');
    process.exit(1);
  });
  process.stdout.write(
    `${JSON.stringify({ ready: true, dynamoDb: dynamoDb.endpoint, dynamoDbPid: dynamoDb.process.pid, sqs: queues.endpoint })}\n`,
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      dynamoDb.process.removeAllListeners('exit');
      void Promise.all([queues.stop(), dynamoDb.stop()]).then(() => process.exit(0));
    });
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
