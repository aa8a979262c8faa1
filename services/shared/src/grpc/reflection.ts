import { type handleBidiStreamingCall, type ServiceDefinition, status } from '@grpc/grpc-js';
import { readDescriptorImage } from '@privatelink/proto/descriptors';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  type ServerReflectionServer,
  ServerReflectionService,
} from '@privatelink/proto/grpc/reflection/v1/reflection';
import { type DescriptorIndex, indexDescriptors } from './descriptor-index.ts';

type Registration = Readonly<{ definition: ServiceDefinition; implementation: ServerReflectionServer }>;
type MessageResponse = ServerReflectionResponse['messageResponse'];

const REFLECTION = 'grpc.reflection.v1.ServerReflection';

/** Reflection under its current and its former name, which many clients still ask for; the messages are the same. */
export const createReflection = (services: readonly string[]): readonly Registration[] => {
  const index = indexDescriptors(readDescriptorImage());
  const listed = [...services, REFLECTION].filter(index.hasService).sort();
  const implementation: ServerReflectionServer = { serverReflectionInfo: reflect(index, listed) };
  const { serverReflectionInfo } = ServerReflectionService;
  const former = { ...serverReflectionInfo, path: serverReflectionInfo.path.replace('.v1.', '.v1alpha.') };
  return [
    { definition: ServerReflectionService, implementation },
    { definition: { serverReflectionInfo: former }, implementation },
  ];
};

const reflect =
  (
    index: DescriptorIndex,
    services: readonly string[],
  ): handleBidiStreamingCall<ServerReflectionRequest, ServerReflectionResponse> =>
  (call) => {
    call.on('data', (request: ServerReflectionRequest) => {
      const messageResponse = respond(index, services, request.messageRequest);
      // The next request waits until this answer has left.
      if (!call.write({ validHost: request.host, originalRequest: request, messageResponse })) {
        call.pause();
        call.once('drain', () => call.resume());
      }
    });
    call.on('end', () => call.end());
  };

const respond = (
  index: DescriptorIndex,
  services: readonly string[],
  request: ServerReflectionRequest['messageRequest'],
): MessageResponse => {
  switch (request?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return found(index.fileByName(request.value), request.value);
    case 'fileContainingSymbol':
      return found(index.fileBySymbol(request.value), request.value);
    // The contract is proto3 and has no extensions.
    case 'allExtensionNumbersOfType':
      return {
        $case: 'allExtensionNumbersResponse',
        value: { baseTypeName: request.value, extensionNumber: [] },
      };
    case 'fileContainingExtension':
      return found(undefined, `${request.value.containingType} ${request.value.extensionNumber}`);
    default:
      return failed(status.INVALID_ARGUMENT, 'the request asks for nothing that is known');
  }
};

const found = (files: readonly Uint8Array[] | undefined, name: string): MessageResponse =>
  files
    ? { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: files.map((file) => Buffer.from(file)) } }
    : failed(status.NOT_FOUND, `${name} not found`);

const failed = (errorCode: number, errorMessage: string): MessageResponse => ({
  $case: 'errorResponse',
  value: { errorCode, errorMessage },
});
