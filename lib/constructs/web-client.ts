import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Stage } from '../stages.ts';

const HSTS_DAYS = 365;

/** The web client's files, behind CloudFront. They are public and can be built again, so S3 encrypts them with its own keys. */
export class WebClient extends Construct {
  readonly bucket: s3.Bucket;
  /** `https://…` */
  readonly origin: string;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `Parley ${stage.name}: web client`,
      defaultRootObject: 'index.html',
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      defaultBehavior: {
        origin: origins.S3BucketOrigin.withOriginAccessControl(this.bucket),
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        allowedMethods: cloudfront.AllowedMethods.ALLOW_GET_HEAD,
        compress: true,
        responseHeadersPolicy: this.headers(stage),
      },
    });
    this.origin = `https://${distribution.distributionDomainName}`;
  }

  private headers({ name, identity }: Stage): cloudfront.ResponseHeadersPolicy {
    return new cloudfront.ResponseHeadersPolicy(this, 'Headers', {
      comment: `Parley ${name}: web client`,
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy: contentSecurityPolicy(identity.issuer), override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: cloudfront.HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: cloudfront.HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: {
          accessControlMaxAge: Duration.days(HSTS_DAYS),
          includeSubdomains: true,
          override: true,
        },
      },
    });
  }
}

/** Names every WebSocket API of the Region: the one that it is for belongs to a stack that needs this one. */
function contentSecurityPolicy(issuer: string): string {
  return [
    "default-src 'self'",
    `connect-src 'self' wss://*.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX} ${new URL(issuer).origin}`,
    "img-src 'self' blob: data:",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ].join('; ');
}
