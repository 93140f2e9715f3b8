import { getSystemErrorName } from "node:util";
import { DependencyError, type ErrorCode } from "@postern/errors";

/** What an administrator can do about an error of the kernel. */
const ADVICE: Readonly<Record<string, string>> = {
    EPERM: "the process needs CAP_NET_ADMIN (run it as root, or give the service or container that capability)",
    EACCES: "the process needs CAP_NET_ADMIN (run it as root, or give the service or container that capability)",
    ENOENT: "/dev/net/tun is missing (modprobe tun; in a container, map the device)",
    ENODEV: "the network interface is gone",
    EBADFD: "the network interface was deleted by somebody else",
    EBUSY: "an interface of that name exists already",
    EINVAL: "the kernel does not accept the value",
    ENETDOWN: "the network interface is down",
    EADDRNOTAVAIL: "the address is not there",
    EEXIST: "it is there already",
};

/** An error that says which operation the kernel refused, with which errno (positive or negative), and what to do. */
export function kernelError(code: ErrorCode, operation: string, errno: number): DependencyError {
    const name = getSystemErrorName(-Math.abs(errno));
    const advice = ADVICE[name];
    return new DependencyError(code, `${operation}: ${name}${advice === undefined ? "" : `; ${advice}`}`);
}
