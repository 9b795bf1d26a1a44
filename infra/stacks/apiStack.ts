import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type CfnStage, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { addApiFront } from './apiFront.ts';
import { accessStatements, objectStatements } from '../access/accessStatements.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { makeLogGroup } from '../constructs/logGroup.ts';
import { Handler } from '../constructs/handler.ts';
import { acknowledgeObjects } from '../constructs/objectAccess.ts';
import { RunbookAlarm, type Severity } from '../constructs/runbookAlarm.ts';
import { apiEnvironment, storeEnvironment } from '../settings/environment.ts';
import { smallConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';

export interface ApiStackProps extends StackProps {
  readonly settings: Settings;
  /** The key with which the files of messages are sealed. */
  readonly dataKeyArn: string;
}

/** The function's timeout. API Gateway ends a request after 30 s; the function ends just before. */
const TIMEOUT_SECONDS = 29;
/** The limit of requests to the admin routes. Operators are few. */
const ADMIN_REQUESTS_PER_SECOND = 10;
/** The routes for which `isAdminPath` (functions/admin/handler.ts) is true. */
const ADMIN_ROUTES = ['/v1/admin/{proxy+}', '/health/detailed'] as const;
const ROUTES = [
  '/v1/{proxy+}',
  '/health',
  '/health/ready',
  '/problems',
  '/problems/{code}',
  '/pair',
  '/pair/{asset}',
] as const;

/** The lower figure is looked at in the morning, the upper one at once. */
const thresholds: readonly {
  readonly severity: Severity;
  readonly errorPercent: number;
  readonly slowMs: number;
  readonly failedPerHour: number;
}[] = [
  { severity: 'ticket', errorPercent: 5, slowMs: 3_000, failedPerHour: 10 },
  { severity: 'page', errorPercent: 10, slowMs: 5_000, failedPerHour: 50 },
];

/**
 * The HTTP API: tenants' routes and operators' routes go to two functions with two roles. No authoriser: each function
 * authenticates, with the same code as in the embedded stack.
 */
export class ApiStack extends Stack {
  readonly api: HttpApi;
  /** The URL at which tenants find the API, without a slash at its end. */
  readonly address: string;

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { settings, dataKeyArn } = props;
    const environmentOf = { api: apiEnvironment(this, settings), admin: storeEnvironment(this, settings) };
    const objects = { api: objectStatements(this, settings, 'api', dataKeyArn), admin: [] };
    const handler = (name: 'api' | 'admin', reservedConcurrency: number): HttpLambdaIntegration => {
      const { target, role } = new Handler(this, name, {
        settings,
        name,
        code: `functions/${name}/entry.ts`,
        timeoutSeconds: TIMEOUT_SECONDS,
        reservedConcurrency,
        environment: environmentOf[name],
        statements: [...accessStatements(this, settings, name), ...objects[name]],
        isShifted: true,
      });
      if (name === 'api') acknowledgeObjects(role, settings.stage);
      return new HttpLambdaIntegration(`${name}-integration`, target);
    };
    this.api = new HttpApi(this, 'Http', { apiName: `${settings.stage}-holdfast`, createDefaultStage: false });
    const tenants = handler('api', settings.apiConcurrency);
    const operators = handler('admin', smallConcurrency.admin);
    for (const path of ROUTES) this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration: tenants });
    const adminRoutes = ADMIN_ROUTES.flatMap((path) =>
      this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration: operators }),
    );
    acknowledge(
      this,
      'Authentication is one middleware in front of every handler, the same as in the embedded stack; an authoriser would be a second one.',
      'AwsSolutions-APIG4',
    );
    // API Gateway refuses settings of a route that does not exist yet.
    const httpStage = this.#addStage(settings);
    httpStage.node.addDependency(...adminRoutes);
    this.address = addApiFront(this, settings, this.api, httpStage);
    new CfnOutput(this, 'ApiAddress', { description: 'Where tenants find the API', value: this.address });
    new CfnOutput(this, 'RequestsPerSecond', {
      description: 'The limit to which `ops resume` sets the API',
      value: String(settings.apiRequestsPerSecond),
    });
    new CfnOutput(this, 'ApiId', { description: 'The API, as API Gateway names it', value: this.api.apiId });
    this.#addAlarms(settings.stage);
  }

  #addStage(settings: Settings): HttpStage {
    const { apiRequestsPerSecond } = settings;
    const logGroup = makeLogGroup(this, 'AccessLogs', settings, 'access');
    const httpStage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      autoDeploy: true,
      throttle: { rateLimit: apiRequestsPerSecond, burstLimit: apiRequestsPerSecond * 2 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(logGroup),
        // The log names the route and not the path: paths may hold ids that are nobody's business in a log.
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: AccessLogField.contextRequestId(),
            at: AccessLogField.contextRequestTimeEpoch(),
            route: '$context.routeKey',
            status: AccessLogField.contextStatus(),
            latencyMs: AccessLogField.contextResponseLatency(),
            failure: '$context.integrationErrorMessage',
          }),
        ),
      },
    });
    const bare = httpStage.node.defaultChild as CfnStage;
    // CDK passes this map on unchanged, so the names in it are CloudFormation's.
    const throttle = {
      ThrottlingRateLimit: ADMIN_REQUESTS_PER_SECOND,
      ThrottlingBurstLimit: ADMIN_REQUESTS_PER_SECOND * 2,
    };
    bare.routeSettings = Object.fromEntries(ADMIN_ROUTES.map((path) => [`ANY ${path}`, throttle]));
    return httpStage;
  }

  #addAlarms(stage: string): void {
    const period = Duration.minutes(5);
    for (const { severity, errorPercent, slowMs, failedPerHour } of thresholds) {
      const common = { stage, severity };
      new RunbookAlarm(this, `api-errors-${severity}`, {
        ...common,
        metric: new MathExpression({
          expression: '100 * failed / requests',
          usingMetrics: {
            failed: this.api.metricServerError({ period, statistic: 'Sum' }),
            requests: this.api.metricCount({ period, statistic: 'SampleCount' }),
          },
          period,
          label: 'answers with 5xx, percent',
        }),
        threshold: errorPercent,
        periods: 3,
        heading: 'API answers with errors',
        sentence: `For 15 minutes ${errorPercent} % or more of the API's answers were 5xx.`,
      });
      new RunbookAlarm(this, `api-failures-${severity}`, {
        ...common,
        metric: this.api.metricServerError({ period: Duration.hours(1), statistic: 'Sum' }),
        threshold: failedPerHour,
        heading: 'API answers with errors',
        sentence: `${failedPerHour} or more requests in an hour were answered with 5xx.`,
      });
      new RunbookAlarm(this, `api-slow-${severity}`, {
        ...common,
        metric: this.api.metricLatency({ period, statistic: 'p99' }),
        threshold: slowMs,
        periods: 3,
        heading: 'API is slow',
        sentence: `For 15 minutes one answer in a hundred took ${slowMs / 1_000} s or longer.`,
      });
    }
  }
}
