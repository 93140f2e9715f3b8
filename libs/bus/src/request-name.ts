/**
 * The name of a request for logs and metrics, without tenant and instance ids:
 * `postern.main.worker.w1.describe` → `worker.describe`, `postern.main.auth.continue.b1` → `auth.continue`.
 */
export function requestName(subject: string): string {
    const [, , area = "unknown", second = "unknown", third] = subject.split(".");
    return area === "worker" ? `${area}.${third ?? second}` : `${area}.${second}`;
}
