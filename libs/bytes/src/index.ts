export { concatBytes, copyBytes, equalBytes, equalBytesConstantTime } from "./compare.ts";
export { fromHex, toHex } from "./hex.ts";
export { readU16, readU32, readU64, readU8, writeU16, writeU32, writeU64 } from "./integers.ts";
export { decodeLatin1, decodeUtf8, encodeLatin1, encodeUtf16Le, encodeUtf8 } from "./text.ts";
