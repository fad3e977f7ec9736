// The window of the simulated component: asks its opener for a request, shows it,
// signs on a click, answers and closes. One request for each window.
"use strict";

const cancelled = 0x76000999;
const notSupported = 0x7600000E;
let asked = null; // {origin, text, request}: who wants what

window.addEventListener("message", (event) => {
  if (event.source !== window.opener || asked !== null) {
    return;
  }
  asked = { origin: event.origin, text: event.data, request: read(event.data) };
  switch (asked.request.func) {
    case "MakeSignature":
      show();
      break;
    case "GetUserCert":
      info("?withcert=true");
      break;
    case "CheckEnvir":
      info("");
      break;
    default:
      reply(JSON.stringify({ func: "sign", ret_code: notSupported, last_error: 0 }));
  }
});

function show() {
  document.getElementById("site").textContent = asked.origin;
  document.getElementById("text").textContent = readable(asked.request);
  document.getElementById("pad").hidden = "pin" in asked.request;
  document.getElementById("cancel").disabled = false;
  const confirm = document.getElementById("confirm");
  confirm.disabled = false;
  confirm.focus();
  if ("automatic" in document.body.dataset) {
    sign();
  }
}

document.getElementById("sign").addEventListener("submit", (event) => {
  event.preventDefault();
  sign();
});

async function sign() {
  const query = new URLSearchParams({
    card: new FormData(document.getElementById("sign")).get("card"),
    origin: asked.origin,
  });
  let text = asked.text;
  if (!("pin" in asked.request)) {
    text = escapeForm(JSON.stringify({ ...asked.request, pin: document.getElementById("pin").value }));
  }
  // As form data, and not escaped: this is what the real component does.
  const response = await fetch("/sign?" + query, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "tbsPackage=" + text,
  });
  reply(await response.text());
}

async function info(query) {
  const response = await fetch("/pkcs11info" + query);
  reply(await response.text());
}

document.getElementById("cancel").addEventListener("click", () => {
  reply(JSON.stringify({ func: "sign", ret_code: cancelled, last_error: 0 }));
});

function reply(text) {
  window.opener.postMessage(text, asked.origin);
  window.close();
}

// read undoes what form data will do to the text, and what a page does about it.
function read(text) {
  try {
    return JSON.parse(new URLSearchParams("text=" + text).get("text"));
  } catch {
    return { func: "MakeSignature", tbs: text, tbsEncoding: "NONE", pin: "" };
  }
}

function escapeForm(text) {
  return text.replace(/[%&+;]/g, encodeURIComponent);
}

function readable(request) {
  if (request.tbsEncoding !== "base64") {
    return request.tbs;
  }
  return new TextDecoder().decode(Uint8Array.from(atob(request.tbs), (c) => c.codePointAt(0)));
}

// Who opened this window is not known before its first message.
if (!("mute" in document.body.dataset)) {
  window.opener?.postMessage(JSON.stringify({ func: "getTbs" }), "*");
}
