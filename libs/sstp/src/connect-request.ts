// What a server checks in a Call Connect Request, [MS-SSTP] 3.3.5.2.2.  Pure: attributes in, list of objections out.
import { copyBytes } from "@postern/bytes";
import { type Attribute, type StatusInfo, decodeProtocolId, decodeStatusInfo, statusInfo } from "./attributes.ts";
import { ATTRIBUTE_ID, MAX_ATTRIB_VALUE_SIZE, MAX_NAK_STATUS_INFOS, PROTOCOL_PPP, STATUS } from "./constants.ts";

const { encapsulatedProtocolId, statusInfo: statusInfoId } = ATTRIBUTE_ID;

/**
 * The objections to a Call Connect Request, one Status Info each, as a NAK lists them; none when it is acceptable.
 *
 * A missing protocol ID is reported as 2.2.8 says (AttribID = the missing attribute); item 6 of 3.3.5.2.2 names Status Info.
 */
export function checkConnectRequest(attributes: readonly Attribute[]): StatusInfo[] {
    const objections: StatusInfo[] = [];
    const seen = new Set<number>();
    for (const attribute of attributes) {
        const status = seen.has(attribute.id) ? STATUS.duplicateAttribute : checkAttribute(attribute);
        seen.add(attribute.id);
        if (status !== STATUS.noError) objections.push(refuse(attribute, status));
        if (objections.length === MAX_NAK_STATUS_INFOS) return objections;
    }
    if (!seen.has(encapsulatedProtocolId)) {
        objections.push(statusInfo(encapsulatedProtocolId, STATUS.requiredAttributeMissing));
    }
    return objections;
}

function checkAttribute({ id, value }: Attribute): number {
    switch (id) {
        case encapsulatedProtocolId: {
            const protocol = decodeProtocolId(value);
            if (protocol === undefined) return STATUS.invalidAttributeValueLength;
            return protocol === PROTOCOL_PPP ? STATUS.noError : STATUS.valueNotSupported;
        }
        case statusInfoId: {
            const info = decodeStatusInfo(value);
            if (info === undefined) return STATUS.invalidAttributeValueLength;
            return info.status === STATUS.noError ? STATUS.noError : STATUS.statusInfoNotSupportedInMessage;
        }
        case ATTRIBUTE_ID.cryptoBinding:
        case ATTRIBUTE_ID.cryptoBindingRequest:
            return STATUS.attributeNotSupportedInMessage;
        default:
            return STATUS.unrecognizedAttribute;
    }
}

/** Copies the refused value, for the NAK may be sent after the packet's memory was used again. */
function refuse({ id, value }: Attribute, status: number): StatusInfo {
    return statusInfo(id, status, copyBytes(value, 0, Math.min(value.length, MAX_ATTRIB_VALUE_SIZE)));
}
