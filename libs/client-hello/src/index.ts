export { type ClientHello, decodeClientHello, MAX_CLIENT_HELLO_SIZE } from "./client-hello.ts";
export { ClientHelloError } from "./errors.ts";
