import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GetRoleCommand, IAMClient, NoSuchEntityException } from '@aws-sdk/client-iam';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { GetParameterCommand, GetParametersByPathCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Failed } from '../sentence.ts';
import { awsSettings, type AwsPlace } from './awsSettings.ts';
import { serviceRoles, type AccountFacts } from './preflight.ts';

/** Quotas by what they limit: the service and the code that Service Quotas has for them. */
const quotas = {
  lambdaConcurrency: ['lambda', 'L-B99A9384'],
  fargateCpus: ['fargate', 'L-3032A538'],
  elasticIps: ['ec2', 'L-0263D0A3'],
} as const;
/** The version of CDK's bootstrap stack, under the qualifier that CDK uses by default. */
const BOOTSTRAP_VERSION = '/cdk-bootstrap/hnb659fds/version';
const DOCKER_MS = 10_000;

/**
 * Asks an account what a deploy depends on, and this machine for Docker. Nothing is changed. Throws Failed when nobody
 * is logged in; whatever else cannot be read is undefined.
 */
export async function readAccount(place: AwsPlace): Promise<AccountFacts> {
  const settings = awsSettings(place);
  const [sts, iam, ssm, service] = [
    new STSClient(settings),
    new IAMClient(settings),
    new SSMClient(settings),
    new ServiceQuotasClient(settings),
  ] as const;
  try {
    const account = await whoIsThis(sts);
    const here = await sts.config.region();
    const quota = (of: keyof typeof quotas) => orNothing(readQuota(service, quotas[of][0], quotas[of][1]));
    const [lambdaConcurrency, fargateCpus, elasticIps, roles, bootstrap, zones, buildx] = await Promise.all([
      quota('lambdaConcurrency'),
      quota('fargateCpus'),
      quota('elasticIps'),
      readRoles(iam),
      readBootstrap(ssm),
      orNothing(countZones(ssm, here)),
      readBuildx(),
    ]);
    return {
      account,
      region: here,
      lambdaConcurrency,
      fargateCpus,
      elasticIps,
      serviceRoles: roles,
      bootstrap,
      zones,
      buildx,
    };
  } finally {
    for (const client of [sts, iam, ssm, service]) client.destroy();
  }
}

async function whoIsThis(sts: STSClient): Promise<string> {
  try {
    return (await sts.send(new GetCallerIdentityCommand())).Account ?? '';
  } catch (error) {
    throw new Failed(
      `AWS does not know who is asking: log in first, for example with aws sso login (${(error as Error).message}).`,
      {
        cause: error,
      },
    );
  }
}

async function readQuota(
  client: ServiceQuotasClient,
  ServiceCode: string,
  QuotaCode: string,
): Promise<number | undefined> {
  return (await client.send(new GetServiceQuotaCommand({ ServiceCode, QuotaCode }))).Quota?.Value;
}

async function readRoles(iam: IAMClient): Promise<readonly string[]> {
  const found: string[] = [];
  for (const RoleName of Object.values(serviceRoles)) {
    try {
      await iam.send(new GetRoleCommand({ RoleName }));
      found.push(RoleName);
    } catch (error) {
      if (!(error instanceof NoSuchEntityException)) throw error;
    }
  }
  return found;
}

async function readBootstrap(ssm: SSMClient): Promise<number | undefined> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: BOOTSTRAP_VERSION }));
    return Number(Parameter?.Value);
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}

/** AWS lists the zones of each region among the public parameters of Systems Manager. */
async function countZones(ssm: SSMClient, region: string): Promise<number> {
  const Path = `/aws/service/global-infrastructure/regions/${region}/availability-zones`;
  return ((await ssm.send(new GetParametersByPathCommand({ Path }))).Parameters ?? []).length;
}

async function readBuildx(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('docker', ['buildx', 'version'], { timeout: DOCKER_MS }).catch(() => ({
    stdout: '',
  }));
  return stdout.trim().split('\n')[0] || undefined;
}

async function orNothing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}
