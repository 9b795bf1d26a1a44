import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ParamsAndSecretsLayerVersion, ParamsAndSecretsVersions } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { Handler } from '../constructs/handler.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { holdfastMetric } from '../alarms/holdfastMetric.ts';
import { smallConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';

/** Longer than the canary itself waits, with room for a cold start. */
const TIMEOUT_SECONDS = 55;

/** Adds the canary with its schedule and its alarm; nothing when the stage names no key for it. */
export function addCanary(scope: Construct, settings: Settings, apiUrl: string): void {
  const { stage, canaryKeyParameter, canaryConnectionId, logLevel } = settings;
  if (canaryKeyParameter === undefined || canaryConnectionId === undefined) return;
  const parameterArn = Stack.of(scope).formatArn({
    service: 'ssm',
    resource: 'parameter',
    resourceName: canaryKeyParameter.slice(1),
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  const { lambda } = new Handler(scope, 'canary', {
    settings,
    name: 'canary',
    code: 'functions/canary/entry.ts',
    timeoutSeconds: TIMEOUT_SECONDS,
    reservedConcurrency: smallConcurrency.canary,
    environment: {
      HOLDFAST_STAGE: stage,
      HOLDFAST_LOG_LEVEL: logLevel,
      HOLDFAST_API_URL: apiUrl,
      HOLDFAST_CANARY_CONNECTION_ID: canaryConnectionId,
      HOLDFAST_CANARY_KEY_PARAMETER: canaryKeyParameter,
    },
    // The parameter is encrypted with the key of Systems Manager itself, which needs no statement.
    statements: [new PolicyStatement({ actions: ['ssm:GetParameter'], resources: [parameterArn] })],
    parameters: ParamsAndSecretsLayerVersion.fromVersion(ParamsAndSecretsVersions.V1_0_103),
  });
  new Rule(scope, 'CanaryEachMinute', {
    schedule: Schedule.rate(Duration.minutes(1)),
    // The scheduler does not try again: the next minute is the retry, and a second run would hide what the first one
    // found.
    targets: [new LambdaFunction(lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
  });
  new RunbookAlarm(scope, 'canary-failed', {
    stage,
    severity: 'page',
    metric: holdfastMetric(stage, 'CanaryFailed', {}, { statistic: 'Sum', minutes: 1 }),
    threshold: 1,
    periods: 3,
    ofPeriods: 5,
    // Each run reports 0 or 1, so silence means that there was no run.
    missingData: TreatMissingData.BREACHING,
    heading: 'The canary does not arrive',
    sentence: 'In 3 of 5 minutes a message of the canary to itself did not arrive, or was not sent at all.',
  });
}
