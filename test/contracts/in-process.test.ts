import { InProcessDirectDelivery } from '../../lambdas/ports/direct-delivery/in-process.ts';
import { LocalIssuer } from '../../local/identity/local-issuer.ts';
import { describeDirectDelivery } from './direct-delivery.ts';
import { describeIdentity } from './identity.ts';

describeDirectDelivery('InProcessDirectDelivery', (deliver) =>
  Promise.resolve({ port: new InProcessDirectDelivery(deliver), close: () => Promise.resolve() }),
);

describeIdentity('LocalIssuer', async () => {
  const port = await LocalIssuer.create('http://127.0.0.1:8787');
  return {
    port,
    issue: (userId, workspaceId) => port.issue({ userId, workspaceId }),
    close: () => Promise.resolve(),
  };
});
