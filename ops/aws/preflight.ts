import type { Settings } from '../../infra/settings/settings.ts';
import { mostTasks } from '../../infra/settings/deployPace.ts';
import { quotaForReservations } from '../../infra/settings/concurrency.ts';

/** What an account says of itself before a deploy. A figure that could not be read is undefined. */
export interface AccountFacts {
  readonly account: string;
  readonly region: string;
  /** The quota "Concurrent executions" of Lambda. */
  readonly lambdaConcurrency: number | undefined;
  /** The quota "Fargate On-Demand vCPU resource count". */
  readonly fargateCpus: number | undefined;
  /** The quota "EC2-VPC Elastic IPs", one of which each NAT gateway takes. */
  readonly elasticIps: number | undefined;
  /** The service-linked roles that exist, among those that are asked for. */
  readonly serviceRoles: readonly string[];
  /** The version of CDK's bootstrap stack in this region; undefined where there is none. */
  readonly bootstrap: number | undefined;
  readonly zones: number | undefined;
  /** The words of `docker buildx version`; undefined where Docker or BuildKit is missing. */
  readonly buildx: string | undefined;
}

export interface Finding {
  /** `stop`: a deploy would fail; `look`: it works, and something is better known; `fine`. */
  readonly verdict: 'fine' | 'look' | 'stop';
  readonly sentence: string;
}

type Asked = Pick<
  Settings,
  | 'accountConcurrency'
  | 'alarmEmail'
  | 'apiConcurrency'
  | 'deliverConcurrency'
  | 'eventQueues'
  | 'ingestConcurrency'
  | 'mediaConcurrency'
  | 'network'
  | 'pageTopicArn'
  | 'workerConnections'
  | 'workerCpu'
  | 'workersMost'
  | 'workers'
  | 'vpcId'
  | 'zones'
>;

/** The services whose roles CloudFormation needs before it makes anything of theirs, with the names of these roles. */
export const serviceRoles: Readonly<Record<string, string>> = {
  'ecs.amazonaws.com': 'AWSServiceRoleForECS',
  'ecs.application-autoscaling.amazonaws.com': 'AWSServiceRoleForApplicationAutoScaling_ECSService',
};
/** The least version of the bootstrap stack that the CDK of this repository accepts for its assets. */
const BOOTSTRAP = 6;
const CPU_UNITS = 1_024;

/** Judges whether a stage with these settings can be deployed to an account: one finding for each thing that it needs. */
export function judgeAccount(facts: AccountFacts, settings: Asked): readonly Finding[] {
  return [
    judgeConcurrency,
    judgeCpus,
    judgeAddresses,
    judgeRoles,
    judgeBootstrap,
    judgeZones,
    judgeDocker,
    judgeAlarms,
  ].flatMap((judge) => judge(facts, settings));
}

type Judge = (facts: AccountFacts, settings: Asked) => Finding | readonly Finding[];

const judgeConcurrency: Judge = ({ lambdaConcurrency: quota }, settings) => {
  if (quota === undefined) return look('The quota "Concurrent executions" of Lambda could not be read.');
  const wanted = quotaForReservations(settings);
  const set = settings.accountConcurrency;
  if (set > quota && set >= wanted && quota < wanted) {
    return stop(
      `Lambda may run ${quota} functions at once here, and the stage reserves more: deploy with -c accountConcurrency=${quota}, ` +
        `and ask for ${wanted} or more: ${increase('lambda', 'L-B99A9384', Math.max(1_000, wanted))}`,
    );
  }
  if (set < wanted) {
    return look(
      quota < wanted
        ? `Lambda may run ${quota} functions at once here, so none reserves a share. Ask for more: ${increase('lambda', 'L-B99A9384', Math.max(1_000, wanted))}`
        : `Lambda may run ${quota} functions at once here: set accountConcurrency to that, and functions reserve their shares.`,
    );
  }
  return fine(`Lambda may run ${quota} functions at once; the stage needs ${wanted}.`);
};

const judgeCpus: Judge = ({ fargateCpus: quota }, settings) => {
  const needed = Math.ceil((mostTasks(settings) * settings.workerCpu) / CPU_UNITS);
  if (quota === undefined) return look('The quota of Fargate for vCPUs could not be read.');
  if (quota >= needed) return fine(`Fargate may run ${quota} vCPUs; the stage needs up to ${needed}.`);
  return stop(
    `Fargate may run ${quota} vCPUs here, and the stage needs up to ${needed} with a deploy: ${increase('fargate', 'L-3032A538', needed)}`,
  );
};

const judgeAddresses: Judge = ({ elasticIps: quota }, { network, zones, vpcId }) => {
  if (network === 'public' || vpcId !== undefined) return [];
  if (quota === undefined) return look('The quota for Elastic IP addresses could not be read.');
  if (quota < zones) {
    return stop(
      `The account may have ${quota} Elastic IP addresses, and each of ${zones} NAT gateways takes one: ${increase('ec2', 'L-0263D0A3', zones)}`,
    );
  }
  return look(`Each of ${zones} NAT gateways takes one of ${quota} Elastic IP addresses; others may use some already.`);
};

const judgeRoles: Judge = (facts) =>
  Object.entries(serviceRoles).map(([service, role]) =>
    facts.serviceRoles.includes(role)
      ? fine(`The role ${role} exists.`)
      : stop(`The role ${role} is missing: aws iam create-service-linked-role --aws-service-name ${service}`),
  );

const judgeBootstrap: Judge = ({ bootstrap, account, region }) => {
  const command = `npx cdk bootstrap aws://${account}/${region}`;
  if (bootstrap === undefined) return stop(`The account was not prepared for CDK in ${region}: ${command}`);
  if (bootstrap < BOOTSTRAP) {
    return stop(`CDK's bootstrap stack has version ${bootstrap} and must have ${BOOTSTRAP} or higher: ${command}`);
  }
  return fine(`CDK's bootstrap stack has version ${bootstrap}.`);
};

const judgeZones: Judge = ({ zones, region }, settings) => {
  if (zones === undefined) return look(`The availability zones of ${region} could not be read.`);
  if (zones < settings.zones)
    return stop(`${region} has ${zones} availability zones, and the stage wants ${settings.zones}.`);
  return fine(`${region} has ${zones} availability zones.`);
};

const judgeDocker: Judge = ({ buildx }) =>
  buildx === undefined
    ? stop(
        'Docker with BuildKit is missing, with which the image of the workers is built: install Docker, and see that docker buildx version answers.',
      )
    : fine(`The image can be built: ${buildx}.`);

const judgeAlarms: Judge = (_, { alarmEmail, pageTopicArn }) =>
  alarmEmail === undefined && pageTopicArn === undefined
    ? look('Nobody is told of alarms: deploy with -c alarmEmail=YOU@EXAMPLE.COM, and confirm the mails.')
    : fine(`Alarms go to ${alarmEmail ?? String(pageTopicArn)}.`);

function increase(service: string, code: string, value: number): string {
  return `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${value}`;
}

function fine(sentence: string): Finding {
  return { verdict: 'fine', sentence };
}

function look(sentence: string): Finding {
  return { verdict: 'look', sentence };
}

function stop(sentence: string): Finding {
  return { verdict: 'stop', sentence };
}
