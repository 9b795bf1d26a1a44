import { GatewayVpcEndpointAwsService, SubnetType, Vpc, type IVpc, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { Settings } from '../settings/settings.ts';

type NetworkSettings = Pick<Settings, 'network' | 'zones' | 'zoneNames' | 'vpcId' | 'subnetIds'>;

/** The most zones that a stage can have. */
const MOST_ZONES = 3;

/**
 * The workers' network. `public`: each worker has an address of its own, so that no NAT gateway is paid, shared or runs
 * out of ports towards the few addresses of WhatsApp. `private`: one NAT gateway in each zone. A stage may name a VPC
 * that exists.
 */
export function makeVpc(scope: Construct, settings: NetworkSettings): IVpc {
  const { network, zones, zoneNames, vpcId, subnetIds = [] } = settings;
  if (vpcId !== undefined) {
    return Vpc.fromVpcAttributes(scope, 'Vpc', {
      vpcId,
      availabilityZones: [...(zoneNames ?? [])],
      ...(network === 'private' ? { privateSubnetIds: [...subnetIds] } : { publicSubnetIds: [...subnetIds] }),
    });
  }
  const isPrivate = network === 'private';
  const vpc = new Vpc(scope, 'Vpc', {
    ...(zoneNames === undefined ? { maxAzs: zones } : { availabilityZones: [...zoneNames] }),
    // Addresses of the zones that are not used yet are kept free, so that a further zone changes no subnet that exists.
    reservedAzs: MOST_ZONES - zones,
    natGateways: isPrivate ? zones : 0,
    subnetConfiguration: [
      // No address comes by itself: workers of a public network ask for theirs, and NAT gateways have their own.
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 20, mapPublicIpOnLaunch: false },
      ...(isPrivate ? [{ name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 }] : []),
    ],
    // Both endpoints cost nothing. Images come from S3.
    gatewayEndpoints: {
      dynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      s3: { service: GatewayVpcEndpointAwsService.S3 },
    },
  });
  acknowledge(
    vpc,
    'Nothing can connect to a worker, and what a worker connects to is in its own log; flow logs would be paid by the gigabyte.',
    'AwsSolutions-VPC7',
  );
  // CDK's class does not say `| undefined` where its interface does.
  return vpc as IVpc;
}

/** The subnets of the network in which the workers run. */
export function workerSubnets({ network }: Pick<Settings, 'network'>): SubnetSelection {
  return { subnetType: network === 'private' ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PUBLIC };
}
