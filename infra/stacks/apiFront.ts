import { CfnOutput, Fn } from 'aws-cdk-lib';
import { ApiMapping, DomainName, type HttpApi, type HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  OriginRequestPolicy,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Adds what a stage may ask for in front of the API: a name of its own, and a web ACL. Neither is there by default.
 * With both, the name is that of the distribution which carries the web ACL, so that callers who use it pass the ACL.
 * Returns the address at which tenants find the API.
 */
export function addApiFront(scope: Construct, settings: Settings, api: HttpApi, stage: HttpStage): string {
  if (settings.webAclArn !== undefined) return addWebAcl(scope, settings, settings.webAclArn, api);
  return addDomain(scope, settings, api, stage);
}

function addDomain(scope: Construct, { domainName, certificateArn }: Settings, api: HttpApi, stage: HttpStage): string {
  if (domainName === undefined || certificateArn === undefined) return api.apiEndpoint;
  const domain = new DomainName(scope, 'Domain', {
    domainName,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
  });
  new ApiMapping(scope, 'DomainMapping', { api, domainName: domain, stage });
  tellTarget(scope, domainName, domain.regionalDomainName);
  return `https://${domainName}`;
}

/**
 * Adds a distribution that carries the web ACL, because AWS WAF cannot stand before an HTTP API. The distribution
 * caches nothing and passes everything on.
 */
function addWebAcl(scope: Construct, { domainName, certificateArn }: Settings, webAclId: string, api: HttpApi): string {
  const isNamed = domainName !== undefined && certificateArn !== undefined;
  const distribution = new Distribution(scope, 'Front', {
    webAclId,
    ...(isNamed
      ? {
          domainNames: [domainName],
          certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
        }
      : {}),
    minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
    defaultBehavior: {
      origin: new HttpOrigin(Fn.select(2, Fn.split('/', api.apiEndpoint))),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      // The host that the caller named is not passed on: it is not the API's own, and the API would refuse it.
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      responseHeadersPolicy: ResponseHeadersPolicy.SECURITY_HEADERS,
    },
  });
  acknowledge(distribution, 'Tenants are everywhere, and so are their servers.', 'AwsSolutions-CFR1');
  acknowledge(distribution, "The API's own access log has every request that comes through.", 'AwsSolutions-CFR3');
  if (!isNamed) {
    acknowledge(
      distribution,
      'The name is that of CloudFront itself, whose certificate sets the lowest version of TLS.',
      'AwsSolutions-CFR4',
    );
    return `https://${distribution.distributionDomainName}`;
  }
  tellTarget(scope, domainName, distribution.distributionDomainName);
  return `https://${domainName}`;
}

function tellTarget(scope: Construct, domainName: string, value: string): void {
  new CfnOutput(scope, 'DomainTarget', { description: `Make ${domainName} an alias or CNAME of this`, value });
}
