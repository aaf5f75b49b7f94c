import { Match } from 'aws-cdk-lib/assertions';
import { resourcesOf, templatesOf, text } from './harness.ts';

describe('the edge stack', () => {
  const { edge } = templatesOf('small');

  it('keeps the bucket to itself: only CloudFront reads it', () => {
    edge.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    edge.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 's3:GetObject',
            Principal: { Service: 'cloudfront.amazonaws.com' },
          }),
        ]),
      },
    });
  });

  it('speaks https only, and reads the bucket with signed requests', () => {
    edge.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        DefaultRootObject: 'index.html',
        DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https' },
        Origins: [Match.objectLike({ OriginAccessControlId: Match.anyValue() })],
      },
    });
    edge.hasResourceProperties('AWS::CloudFront::OriginAccessControl', {
      OriginAccessControlConfig: { SigningBehavior: 'always', SigningProtocol: 'sigv4' },
    });
  });

  it('lets the page talk to the WebSocket APIs of the Region and to the issuer, and be framed by nobody', () => {
    const [[, { Properties }] = ['', { Properties: {} }]] = resourcesOf(
      'small',
      'edge',
      'AWS::CloudFront::ResponseHeadersPolicy',
    );
    const { ResponseHeadersPolicyConfig: config } = Properties as {
      ResponseHeadersPolicyConfig: { SecurityHeadersConfig: Record<string, Record<string, unknown>> };
    };
    const directives = text(config.SecurityHeadersConfig['ContentSecurityPolicy']?.['ContentSecurityPolicy']).split(
      '; ',
    );
    expect(directives).toContain("default-src 'self'");
    expect(directives).toContain("frame-ancestors 'none'");
    expect(directives).toContain(
      "connect-src 'self' wss://*.execute-api.<AWS::Region>.<AWS::URLSuffix> https://issuer.example",
    );
    expect(directives.join()).not.toContain('unsafe');
  });
});
