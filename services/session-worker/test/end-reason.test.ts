import assert from "node:assert/strict";
import { test } from "node:test";
import { BindingFailureReason, EndReason } from "@postern/contracts";
import { CLOSE_REASONS, type CloseReason, type Closure } from "@postern/ppp";
import { BINDING_FAILURES, CALL_END_REASONS, type CallEnd } from "@postern/sstp";
import { bindingDetail, endReasonOf, whyGivenUp } from "../src/end-reason.ts";

// Every field that any of the ends has.
const endOf = (reason: CallEnd["reason"]): CallEnd => ({
    reason,
    status: 5,
    detail: "what was met",
    failure: "nonce",
});
const closures = (Object.keys(CLOSE_REASONS) as CloseReason[]).map((reason): Closure => ({ reason, detail: "why" })); // a record of all of them

test("every way in which a call and a link can end is a reason of the contracts", () => {
    for (const reason of CALL_END_REASONS) {
        for (const closure of [undefined, ...closures]) {
            for (const wish of [undefined, ...EndReason.options]) {
                assert.ok(EndReason.safeParse(endReasonOf(endOf(reason), closure, wish)).success);
            }
        }
    }
});

test("what only the call can know comes first, then our wish, then the link, then the call", () => {
    const terminated: Closure = { reason: "terminated-by-peer", detail: "" };
    assert.equal(endReasonOf(endOf("binding-failed"), terminated, "admin-disconnect"), "binding-failed");
    assert.equal(endReasonOf(endOf("hello-timeout"), undefined, "admin-disconnect"), "hello-timeout");
    assert.equal(endReasonOf(endOf("client-disconnect"), terminated, "admin-disconnect"), "admin-disconnect");
    assert.equal(endReasonOf(endOf("client-disconnect"), terminated, undefined), "client-terminate");
    assert.equal(endReasonOf(endOf("client-disconnect"), undefined, undefined), "client-disconnect");
    assert.equal(endReasonOf(endOf("stream-closed"), undefined, undefined), "client-gone");
});

test("a client that did not get in is told apart by what happened first", () => {
    const refused: Closure = { reason: "authentication-failed", detail: "error 691" };
    assert.deepEqual(whyGivenUp(endOf("local-disconnect"), refused, undefined), {
        reason: "authentication-failed",
        detail: "error 691",
    });
    assert.deepEqual(whyGivenUp(endOf("protocol-error"), undefined, undefined), {
        reason: "protocol-error",
        detail: "what was met",
    });
    assert.deepEqual(whyGivenUp({ reason: "stream-closed" }, undefined, "worker-stop"), {
        reason: "worker-stop",
        detail: "",
    });
});

test("every binding failure has a sentence, and the contracts know it", () => {
    for (const reason of BindingFailureReason.options) assert.match(bindingDetail(reason), /^.{20,300}$/);
    for (const failure of BINDING_FAILURES) assert.ok(BindingFailureReason.safeParse(failure).success, failure);
});
