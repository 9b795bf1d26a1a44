import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { tableDefinitions, tableName, type TableDefinition } from '../../shared/platform/tables.ts';
import { addMediaBucket } from '../constructs/mediaBucket.ts';
import type { Settings } from '../settings/settings.ts';

export interface DataStackProps extends StackProps {
  readonly settings: Pick<Settings, 'stage' | 'dataKeyArn'>;
}

/**
 * The three tables, made from the same definitions as the embedded stack's, the bucket with the files of messages, and the
 * key that wraps the data keys of connections and seals these files. All are kept when the stack is deleted: without the key, no stored session can be read again. What a
 * first deploy made before it failed is not kept, so that the next one finds its names free.
 */
export class DataStack extends Stack {
  readonly dataKeyArn: string;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, { ...props, terminationProtection: true });
    const { settings } = props;
    const { stage } = settings;
    for (const definition of tableDefinitions) this.#addTable(stage, definition);
    const key =
      settings.dataKeyArn === undefined ? this.#makeKey(stage) : Key.fromKeyArn(this, 'GivenKey', settings.dataKeyArn);
    this.dataKeyArn = key.keyArn;
    const bucket = addMediaBucket(this, stage, key);
    new CfnOutput(this, 'MediaBucket', {
      description: 'The bucket with the files of messages',
      value: bucket.bucketName,
    });
    new CfnOutput(this, 'DataKeyArn', {
      description: 'The key without which no stored session can be read: give it a replica in another region',
      value: this.dataKeyArn,
    });
  }

  #makeKey(stage: string): IKey {
    const key = new Key(this, 'DataKey', {
      alias: `${stage}-data-keys`,
      description: 'Wraps the data keys of WhatsApp sessions, and seals the files of messages',
      enableKeyRotation: true,
      // This cannot be changed later. Without a replica of the key, a copy of the sessions in another region cannot be
      // read there.
      multiRegion: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // A grant would let somebody else use the key past the roles that may. Services of AWS make theirs for what is theirs.
    key.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:CreateGrant'],
        resources: ['*'],
        conditions: { BoolIfExists: { 'kms:GrantIsForAWSResource': 'false', 'aws:PrincipalIsAWSService': 'false' } },
      }),
    );
    return key;
  }

  #addTable(stage: string, definition: TableDefinition): void {
    new TableV2(this, definition.name, {
      tableName: tableName(stage, definition.name),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: definition.ttlAttribute,
      encryption: TableEncryptionV2.awsManagedKey(),
      // Fleet has no backup: the leases and owners of an earlier hour are about processes that are gone.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: definition.name !== 'fleet' },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      globalSecondaryIndexes: definition.indexes.map((index) => ({
        indexName: index.name,
        partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
        sortKey: { name: index.sortKey, type: AttributeType.STRING },
        projectionType: ProjectionType.ALL,
      })),
    });
  }
}
