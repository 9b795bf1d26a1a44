import { Duration, type Size } from 'aws-cdk-lib';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  DockerImageFunction,
  Runtime,
  Tracing,
  type DockerImageCode,
  type FunctionOptions,
  type Function as LambdaFunctionResource,
  type IFunction,
  type ParamsAndSecretsLayerVersion,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { reservesConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';
import { acknowledge } from './acknowledge.ts';
import { bundledCode } from './bundle.ts';
import { GradualDeploy } from './gradualDeploy.ts';
import { makeLogGroup } from './logGroup.ts';
import { RunbookAlarm } from './runbookAlarm.ts';

export interface HandlerProps {
  readonly settings: Settings;
  /** The function's name, for people and as a part of physical names, for example `ingest`. */
  readonly name: string;
  /** The path from the root of the repository of the file that exports `handler`, or an image that serves calls by itself. */
  readonly code: string | DockerImageCode;
  readonly timeoutSeconds: number;
  /** The share of the account's concurrency that the function reserves where the account has room for reservations. */
  readonly reservedConcurrency: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
  readonly memoryMib?: number;
  /** The room below `/tmp`; 512 MiB when left out. */
  readonly disk?: Size;
  /** Whether a new version takes only a part of the calls at first, where the stage has such deploys; it does not when left out. */
  readonly isShifted?: boolean;
  /** The layer that gives the function parameters and secrets on loopback; no layer when left out. */
  readonly parameters?: ParamsAndSecretsLayerVersion;
}

/**
 * A function with our defaults: Node 24 on ARM, one bundled module or an image, a role of its own with the stated access and
 * nothing more, a log group of its own whose lines expire, its own share of the account's concurrency, tracing, and
 * alarms for failures and throttles.
 */
export class Handler extends Construct {
  readonly lambda: LambdaFunctionResource;
  /** What callers call: the function itself, or the alias whose versions change gradually. */
  readonly target: IFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: HandlerProps) {
    super(scope, id);
    const { settings, name } = props;
    const { stage } = settings;
    const isTraced = settings.tracePercent > 0;
    const logGroup = makeLogGroup(this, 'Logs', settings, name);
    // The role is made here, because the one that CDK makes may write to every log group of the account.
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(this.role);
    for (const statement of props.statements) this.role.addToPolicy(statement);
    const common = {
      functionName: `${stage}-${name}`,
      architecture: Architecture.ARM_64,
      role: this.role,
      logGroup,
      memorySize: props.memoryMib ?? 512,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(reservesConcurrency(settings) ? { reservedConcurrentExecutions: props.reservedConcurrency } : {}),
      environment: { ...props.environment },
      tracing: isTraced ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(props.disk === undefined ? {} : { ephemeralStorageSize: props.disk }),
      ...(props.parameters === undefined ? {} : { paramsAndSecrets: props.parameters }),
    };
    this.lambda = this.#makeFunction(props.code, common);
    if (isTraced)
      acknowledge(
        this.role,
        'X-Ray knows no resources: its two actions, which only add traces, take a star or nothing.',
        'AwsSolutions-IAM5[Resource::*]',
      );
    const fails = this.#addAlarms(stage, name);
    const isShifted = props.isShifted === true && settings.functionDeploys === 'gradual';
    this.target = isShifted ? new GradualDeploy(this, 'Deploys', this.lambda, fails).alias : this.lambda;
  }

  #makeFunction(code: HandlerProps['code'], common: FunctionOptions): LambdaFunctionResource {
    if (typeof code !== 'string') return new DockerImageFunction(this, 'Function', { ...common, code });
    return new NodejsFunction(this, 'Function', {
      ...common,
      code: bundledCode(this, code),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
    });
  }

  #addAlarms(stage: string, name: string): RunbookAlarm {
    const common = { stage, threshold: 1, severity: 'ticket' } as const;
    const over = { statistic: 'Sum', period: Duration.minutes(5) };
    const fails = new RunbookAlarm(this, `${name}-fails`, {
      ...common,
      metric: this.lambda.metricErrors(over),
      heading: 'A function fails',
      sentence: `The function ${name} threw, or took too long.`,
    });
    new RunbookAlarm(this, `${name}-throttled`, {
      ...common,
      metric: this.lambda.metricThrottles(over),
      heading: 'A function is throttled',
      sentence: `The function ${name} was called more often at once than its reserved concurrency allows.`,
    });
    return fails;
  }
}
