export { createAuthority, issueServer, type Issued, type ServerRequest } from "./authority.ts";
export { describeCertificate, readCertificate, type CertificateFacts } from "./certificate.ts";
export { type KeyType } from "./key.ts";
export { CERTIFICATE_MODE, KEY_MODE, writePem } from "./pem-file.ts";
