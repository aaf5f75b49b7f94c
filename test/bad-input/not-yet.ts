import { aField, aFunction, anAction, anAnsweredField, aRole, codeWith, either } from './support/what-exists.ts';

/** What of a row cannot be tested yet. */
export interface NotYet {
  /** The cases of the row, where it is not the whole row. */
  readonly cases?: string;
  /** True as soon as what the row needs exists: then it belongs into a table. */
  readonly until: () => boolean;
}

const media = either(anAction(/^media\.upload$/), aFunction('media'));
const attachment = either(aField(/^mediaId/), anAction(/^media\.complete$/));

/** Rows, or cases of rows, that need something which Parley does not have. By row id. */
export const NOT_YET: Readonly<Record<string, readonly NotYet[]>> = {
  'session-revoked': [
    { cases: '(b) conversation.update', until: anAction(/^conversation\.update$/) },
    { cases: '(c) media.upload', until: media },
    { cases: '(d) push.register', until: anAction(/^push\.register$/) },
  ],
  'value-ttl': [{ until: aField(/ttl|expir/i) }],
  'value-metadata-blob': [{ until: aField(/metadata|locale/i) }],
  'state-banned-or-readonly': [
    { cases: '(a) banned', until: either(anAction(/^member\.ban$/), aRole(/ban/i)) },
    { cases: '(b) read-only', until: either(anAction(/^member\.setRole$/), aRole(/read|viewer|guest/i)) },
  ],
  'state-closed-conversation': [
    { cases: '(a) archived', until: either(anAction(/^conversation\.archive$/), anAnsweredField(/archived/i)) },
    { cases: '(b) deleted', until: anAction(/^conversation\.delete$/) },
  ],
  'state-add-member': [{ cases: '(c) a blocked user', until: anAction(/block/i) }],
  'state-receipts-off': [{ until: either(aField(/receipts/i), anAction(/^(settings|profile|privacy|user)\./)) }],
  'state-presence-hidden': [{ cases: '(b) a block relation', until: anAction(/block/i) }],
  'media-presign-content-type': [{ until: media }],
  'media-presign-size': [{ until: media }],
  'media-upload-mismatch': [{ until: media }],
  'media-upload-other-key': [{ until: media }],
  'media-attach-foreign': [{ until: attachment }],
  'media-attach-not-clean': [{ until: attachment }],
  'media-hostile-content': [{ until: attachment }],
  'push-device-token': [{ until: anAction(/^push\.register$/) }],
  'keys-prekey-fetch': [{ until: anAction(/^keys\.claim$/) }],
  'keys-identity-overwrite': [{ until: anAction(/^keys\.publish$/) }],
  'event-sqs': [
    {
      cases: 'a consumer of SQS; today only the stream has consumers',
      until: codeWith(/\bSQS(Event|Record|Handler|BatchResponse)/),
    },
  ],
  'event-s3-key': [{ until: codeWith(/\bS3(Event|ObjectCreated)/) }],
  'event-sns-endpoint': [{ until: codeWith(/client-sns|\bSNS/) }],
};
