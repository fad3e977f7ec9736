// The window of the simulated component: asks its opener for what to sign, shows
// it, signs on a click, answers and closes. One request for each window.
"use strict";

const cancelled = 0x76000999;
let asked = null; // {origin, text}: who wants what signed

window.addEventListener("message", (event) => {
  if (event.source !== window.opener || asked !== null) {
    return;
  }
  asked = { origin: event.origin, text: event.data };
  document.getElementById("site").textContent = event.origin;
  document.getElementById("text").textContent = readable(event.data);
  document.getElementById("cancel").disabled = false;
  const confirm = document.getElementById("confirm");
  confirm.disabled = false;
  confirm.focus();
});

document.getElementById("sign").addEventListener("submit", async (event) => {
  event.preventDefault();
  const card = new FormData(event.target).get("card");
  // As form data, and not escaped: this is what the real component does.
  const response = await fetch("/sign?card=" + card, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "tbsPackage=" + asked.text,
  });
  reply(await response.text());
});

document.getElementById("cancel").addEventListener("click", () => {
  reply(JSON.stringify({ func: "sign", ret_code: cancelled, last_error: 0 }));
});

function reply(text) {
  window.opener.postMessage(text, asked.origin);
  window.close();
}

// readable undoes what the page did to get the text through form data.
function readable(text) {
  const request = JSON.parse(text.replaceAll("%2B", "+"));
  if (request.tbsEncoding !== "base64") {
    return request.tbs;
  }
  return new TextDecoder().decode(Uint8Array.from(atob(request.tbs), (c) => c.codePointAt(0)));
}

// Who opened this window is not known before its first message.
window.opener?.postMessage(JSON.stringify({ func: "getTbs" }), "*");
