import { startLocalApp } from '../local/embedded/app.ts';
import { UNTHROTTLED } from '../local/gateway/gateway.ts';
import { serveBench } from './serve.ts';

/** Parley on embedded stores, without the throttle of API Gateway's default quota. */
const app = await startLocalApp({ gateway: UNTHROTTLED });
serveBench({ url: app.socketUrl, tokenUrl: `${app.url}/dev/token`, close: () => app.close() });
