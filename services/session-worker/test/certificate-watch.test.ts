import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { eventually } from "@postern/testkit";
import type { LoadedCertificate } from "../src/certificates.ts";
import { watchCertificates } from "../src/certificate-watch.ts";

const LOADED: LoadedCertificate = { names: ["x"], sha256: "00", algorithm: "ec", notAfter: new Date(0) };

test("what a look finds is told; a bad file is logged and the looking goes on", async () => {
    const outcomes: (readonly LoadedCertificate[] | undefined | Error)[] = [
        undefined,
        new ConfigError("TLS_CERTIFICATE", "bad"),
        undefined,
        [LOADED],
    ];
    let looks = 0;
    const reload = (): readonly LoadedCertificate[] | undefined => {
        const outcome = outcomes[looks];
        looks += 1;
        if (outcome instanceof Error) throw outcome;
        return outcome;
    };
    const errors: object[] = [];
    const told: (readonly LoadedCertificate[])[] = [];
    const stop = watchCertificates({ reload }, 1, { error: (fields) => void errors.push(fields) }, (loaded) =>
        told.push(loaded),
    );
    await eventually(() => assert.ok(looks > 5));
    stop();
    assert.equal(errors.length, 1);
    assert.deepEqual(told, [[LOADED]]);
    const after = looks;
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(looks, after);
});
