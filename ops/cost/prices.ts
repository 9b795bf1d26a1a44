/**
 * Prices of AWS in USD: us-east-1, on demand, without free tier, savings plan or Spot. `documentation`: read on the
 * page of the service on the day below. `known`: not looked up again on that day.
 */
export const PRICES_OF = '20 November 2026';

export interface Price {
  readonly usd: number;
  readonly per: string;
  readonly source: 'documentation' | 'known';
  readonly where: string;
}

export const prices = {
  fargateCpuHour: { usd: 0.03238, per: 'vCPU hour, ARM', source: 'documentation', where: 'AWS Fargate pricing' },
  fargateGbHour: { usd: 0.00356, per: 'GB hour, ARM', source: 'documentation', where: 'AWS Fargate pricing' },
  publicIpMonth: { usd: 3.65, per: 'public IPv4 and month', source: 'documentation', where: 'Amazon VPC pricing' },
  writeUnitMillion: { usd: 0.625, per: 'million write units', source: 'documentation', where: 'DynamoDB pricing' },
  readUnitMillion: { usd: 0.125, per: 'million read units', source: 'documentation', where: 'DynamoDB pricing' },
  tableGbMonth: { usd: 0.25, per: 'GB and month', source: 'known', where: 'DynamoDB pricing' },
  recoveryGbMonth: {
    usd: 0.2,
    per: 'GB and month, point-in-time recovery',
    source: 'known',
    where: 'DynamoDB pricing',
  },
  backupGbMonth: { usd: 0.1, per: 'GB and month, nightly backups', source: 'known', where: 'AWS Backup pricing' },
  fifoMillion: { usd: 0.5, per: 'million FIFO requests', source: 'documentation', where: 'Amazon SQS pricing' },
  standardMillion: { usd: 0.4, per: 'million standard requests', source: 'documentation', where: 'Amazon SQS pricing' },
  fairMillion: { usd: 0.1, per: 'million fair requests, on top', source: 'documentation', where: 'Amazon SQS pricing' },
  objectGbMonth: { usd: 0.023, per: 'GB and month in S3', source: 'known', where: 'Amazon S3 pricing' },
  objectPutMillion: { usd: 5, per: 'million writes of S3', source: 'known', where: 'Amazon S3 pricing' },
  lambdaMillion: { usd: 0.2, per: 'million calls', source: 'known', where: 'AWS Lambda pricing' },
  lambdaGbSecond: { usd: 0.0000133334, per: 'GB second, ARM', source: 'known', where: 'AWS Lambda pricing' },
  httpApiMillion: { usd: 1, per: 'million HTTP API calls', source: 'known', where: 'API Gateway pricing' },
  loadBalancerHour: {
    usd: 0.0225,
    per: 'load balancer and hour',
    source: 'known',
    where: 'Elastic Load Balancing pricing',
  },
  loadBalancerUnitHour: { usd: 0.008, per: 'LCU and hour', source: 'known', where: 'Elastic Load Balancing pricing' },
  egressGb: { usd: 0.09, per: 'GB out to the internet', source: 'known', where: 'Amazon EC2 pricing, data transfer' },
  metricMonth: { usd: 0.3, per: 'metric and month', source: 'known', where: 'Amazon CloudWatch pricing' },
  alarmMonth: { usd: 0.1, per: 'alarm and month', source: 'known', where: 'Amazon CloudWatch pricing' },
  dashboardMonth: { usd: 3, per: 'dashboard and month', source: 'known', where: 'Amazon CloudWatch pricing' },
  logGb: { usd: 0.5, per: 'GB of log taken in', source: 'known', where: 'Amazon CloudWatch pricing' },
  traceMillion: { usd: 5, per: 'million traces', source: 'known', where: 'AWS X-Ray pricing' },
  keyMonth: { usd: 1, per: 'KMS key and month', source: 'known', where: 'AWS KMS pricing' },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof prices;
