// Numbers of the Extensible Authentication Protocol.

/** RFC 3748 §4. */
export const EAP_CODE = { request: 1, response: 2, success: 3, failure: 4 } as const;

/** RFC 3748 §5; `peap` of [MS-PEAP], `mschapv2` of draft-kamath-pppext-eap-mschapv2. */
export const EAP_TYPE = { identity: 1, notification: 2, nak: 3, peap: 25, mschapv2: 26, expanded: 254 } as const;
