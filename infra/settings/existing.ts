import { z } from 'zod';

/** Several names in one text with commas, as the command line gives them, or as a list in cdk.json. */
export const names = (form: RegExp, sentence: string) =>
  z
    .union([z.string().transform((text) => text.split(',').map((name) => name.trim())), z.array(z.string())])
    .refine((all) => all.length > 0 && all.every((name) => form.test(name)), sentence);

const keyArn = z
  .string()
  .regex(
    /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    'must be the ARN of a key',
  );
const hostName = z
  .string()
  .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be the name of a host');
const certificateArn = z
  .string()
  .regex(/^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/, 'must be the ARN of a certificate');
const topicArn = z.string().regex(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/, 'must be the ARN of a topic');

/**
 * The settings that name what an account has already, or what stands outside the stage: a network, keys, topics, names,
 * a vault. Each may be left out.
 */
export const existing = {
  /**
   * The id of a VPC for the workers, with subnetIds and zoneNames. It must lead to the internet, and to DynamoDB and S3
   * best by gateway endpoints. When left out, the stage makes a VPC of its own.
   */
  vpcId: z
    .string()
    .regex(/^vpc-[0-9a-f]{8,17}$/, 'must be the id of a VPC')
    .optional(),
  /**
   * The ids of the subnets for the workers, with commas between them, one for each of zoneNames in their order: public
   * ones with the setting `network=public`, otherwise ones that go out through a NAT.
   */
  subnetIds: names(/^subnet-[0-9a-f]{8,17}$/, 'must be ids of subnets').optional(),
  /**
   * The ARN of a topic for alarms that are for now, given together with ticketTopicArn; CloudWatch must be allowed to
   * publish to both. When left out, the stage makes topics of its own.
   */
  pageTopicArn: topicArn.optional(),
  /** The ARN of a topic for alarms that are for the next working day. */
  ticketTopicArn: topicArn.optional(),
  /** The ARN of a managed policy that bounds the permissions of every role of the stage; no boundary when left out. */
  permissionsBoundaryArn: z
    .string()
    .regex(/^arn:[\w-]+:iam::(\d{12}|aws):policy\/.+$/, 'must be the ARN of a managed policy')
    .optional(),
  /**
   * A name of the API's own, for example `api.example.com`. It needs certificateArn, and a DNS record that leads to
   * the name in the stack's output. When left out, the API has only the name that AWS gives.
   */
  domainName: hostName.optional(),
  /**
   * The ARN of a certificate for domainName, in the region of the stage, or in us-east-1 with webAclArn. Given together with domainName or not at
   * all.
   */
  certificateArn: certificateArn.optional(),
  /**
   * A name for streams of events, for example `streams.example.com`. It needs streamCertificateArn, and a DNS record that leads
   * to the name in the stack's output. When left out, the stage serves no streams, and has no load balancer and no tasks for them.
   */
  streamDomainName: hostName.optional(),
  /** The ARN of a certificate for streamDomainName, in the region of the stage. Given together with streamDomainName or not at all. */
  streamCertificateArn: certificateArn.optional(),
  /**
   * The ARN of a web ACL of AWS WAF with the scope CLOUDFRONT. A distribution puts it in front of the API, because
   * WAF cannot stand before an HTTP API itself. With domainName, that name is the distribution's, and certificateArn
   * must be of us-east-1. Callers that know the API's own address can still go around it. When left out, there is
   * neither.
   */
  webAclArn: z
    .string()
    .regex(/^arn:[\w-]+:wafv2:us-east-1:\d{12}:global\/webacl\/.+$/, 'must be the ARN of a web ACL for CloudFront')
    .optional(),
  /**
   * The ARN of a multi-region key of KMS, or of its replica in the region of the stage, that wraps the data keys of
   * sessions. When left out, the stage makes a key of its own. It never changes afterwards: sessions could not be read.
   */
  dataKeyArn: keyArn.optional(),
  /**
   * The ARN of a key of KMS with which log groups are encrypted; its policy must let CloudWatch Logs use it. When left
   * out, they are encrypted with a key of AWS.
   */
  logKeyArn: keyArn.optional(),
  /**
   * The ARN of a vault in another region or account that gets a copy of each backup. When left out, nothing is
   * copied.
   */
  backupCopyVaultArn: z
    .string()
    .regex(/^arn:[\w-]+:backup:[\w-]+:\d{12}:backup-vault:[\w-]+$/, 'must be the ARN of a backup vault')
    .optional(),
  /**
   * The name of the parameter (a SecureString of Systems Manager) that holds the API key of the canary's tenant;
   * never the key itself. When left out, there is no canary.
   */
  canaryKeyParameter: z
    .string()
    .regex(/^\/[\w./-]+$/, 'must be the name of a parameter, beginning with a slash')
    .optional(),
  /**
   * The id of the connection through which the canary writes to itself. Given together with canaryKeyParameter or not
   * at all.
   */
  canaryConnectionId: z
    .string()
    .regex(/^con_\w+$/, 'must be the id of a connection')
    .optional(),
} as const;
