/** Octets of the largest header that is read: version 2 allows 65,551, but no sender needs more than its TLVs and addresses. */
export const MAX_HEADER_SIZE = 4_096;
