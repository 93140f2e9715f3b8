export { decodeBase64, encodeBase64 } from "./base64.ts";
export { SealError } from "./errors.ts";
export { formatKey, parseKey, readKeyFile, writeKeyFile, type KeyKind } from "./key-file.ts";
export { generateKeyPair, publicKeyOf, type KeyPair } from "./key-pair.ts";
export {
    generateRecordKey,
    openRecord,
    recordCipher,
    sealRecord,
    type RecordCipher,
    type SealedRecord,
} from "./seal-record.ts";
export { open, ReplyKey, seal } from "./seal.ts";
