import type { StageName } from './judges/stages.ts';

/** A rule of Control Tower that a stage with the default settings does not meet. */
export interface UnmetRule {
  /** The number of the control, for example `CT.LAMBDA.PR.3`. */
  readonly control: string;
  /** The name of the rule in cfn-guard. */
  readonly rule: string;
  /** What meets it: a setting as the page for deploys names it. Otherwise the page says why there is none. */
  readonly setting?: string;
  /** The only stage that breaks it, where it is about something that others do not have. */
  readonly only?: StageName;
}

/** The stage with what only a setting brings: a distribution of CloudFront (`webAclArn`), and a load balancer (`streamDomainName`). */
const WITH_ALL = 'everything that may be asked for';

/** docs/deploy.md, "What you have already", has these rows; `npm run judge` finds whether there are others. */
export const unmetRules: readonly UnmetRule[] = [
  { control: 'CT.CLOUDWATCH.PR.3', rule: 'cloudwatch_log_group_encrypted_check', setting: 'logKeyArn' },
  {
    control: 'CT.CLOUDWATCH.PR.2',
    rule: 'cloudwatch_log_group_retention_period_check',
    setting: 'logRetentionDays=365',
  },
  { control: 'CT.CLOUDWATCH.PR.1', rule: 'cloudwatch_alarm_action_check', setting: 'alarmParts=ticket' },
  { control: 'CT.ECS.PR.2', rule: 'ecs_container_insights_enabled_check', setting: 'containerInsights=on' },
  { control: 'CT.ECS.PR.9', rule: 'ecs_service_assign_public_ip_disabled_check', setting: 'network=private' },
  { control: 'CT.LAMBDA.PR.3', rule: 'lambda_inside_vpc_check' },
  { control: 'CT.APIGATEWAY.PR.5', rule: 'api_gw_v2_authorization_type_configured_check' },
  { control: 'CT.S3.PR.2', rule: 's3_bucket_logging_enabled_check' },
  { control: 'CT.S3.PR.4', rule: 's3_event_notifications_enabled_check' },
  { control: 'CT.S3.PR.9', rule: 's3_bucket_object_lock_enabled_check' },
  { control: 'CT.S3.PR.11', rule: 's3_bucket_versioning_enabled_check' },
  { control: 'CT.CLOUDFRONT.PR.1', rule: 'cloudfront_default_root_object_configured_check', only: WITH_ALL },
  { control: 'CT.CLOUDFRONT.PR.4', rule: 'cloudfront_origin_failover_enabled_check', only: WITH_ALL },
  { control: 'CT.CLOUDFRONT.PR.5', rule: 'cloudfront_access_logs_enabled_check', only: WITH_ALL },
  { control: 'CT.ELASTICLOADBALANCING.PR.5', rule: 'elbv2_deletion_protection_enabled_check', only: WITH_ALL },
  { control: 'CT.ELASTICLOADBALANCING.PR.6', rule: 'elbv2_logging_enabled_check', only: WITH_ALL },
];
