import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { launchSettings } from "../src/settings.ts";

test("without wishes the state is in .postern of the project", () => {
    assert.deepEqual(launchSettings({}, "/srv/postern"), {
        directory: "/srv/postern/.postern",
        port: undefined,
        name: undefined,
        natsServer: undefined,
    });
});

test("an empty variable is no wish", () => {
    assert.equal(launchSettings({ POSTERN_PORT: "", POSTERN_STATE: "" }, "/srv").directory, "/srv/.postern");
});

test("wishes are taken", () => {
    const environment = { POSTERN_STATE: "/var/lib/postern", POSTERN_PORT: "8443", POSTERN_NAME: "gw.example.com" };
    const { directory, port, name } = launchSettings(environment, "/srv");
    assert.deepEqual([directory, port, name], ["/var/lib/postern", 8443, "gw.example.com"]);
});

test("what is no port is refused", () => {
    for (const POSTERN_PORT of ["0", "65536", "443x", "-1", "1e3"]) {
        assert.throws(() => launchSettings({ POSTERN_PORT }, "/srv"), ConfigError, POSTERN_PORT);
    }
});
