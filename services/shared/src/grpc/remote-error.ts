export { RemoteError } from '@privatelink/client/remote-error';
