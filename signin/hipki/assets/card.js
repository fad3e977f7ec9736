// Has the card sign what a form asks for: opens the window of the card reader
// component, gives it the request with the PIN, and sends the signature to the
// server, which verifies it. The PIN goes to the component alone.
"use strict";

for (const form of document.querySelectorAll("form[data-hipki]")) {
  prepare(form);
}

// A page out of the browser's history has a challenge that may have been used.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

function prepare(form) {
  const settings = JSON.parse(form.querySelector("[data-hipki-settings]").textContent);
  const pin = form.querySelector("[data-hipki-pin]");
  const button = form.querySelector("[data-hipki-sign]");
  const status = form.querySelector("[role=status]");
  let busy = false;
  let over = false; // the time has run out

  const say = (name) => {
    delete status.dataset.failed;
    pin.removeAttribute("aria-invalid");
    status.textContent = settings.texts[name] ?? "";
  };
  const rest = () => {
    busy = false;
    button.removeAttribute("aria-disabled");
    button.disabled = over;
  };
  const fail = (name, code) => {
    rest();
    const advice = settings.advice[name];
    status.dataset.failed = name;
    status.textContent = settings.texts.failed + advice.text +
      (code === undefined ? "" : settings.texts.code.replace("{code}", "0x" + code));
    if (advice.pin) {
      pin.setAttribute("aria-invalid", "true");
      pin.focus();
    } else {
      status.focus();
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy || over) {
      return;
    }
    busy = true;
    button.setAttribute("aria-disabled", "true");
    say("opening");
    ask(settings, {
      takePIN() {
        const value = pin.value;
        pin.value = "";
        return value;
      },
      waiting: () => say("waiting"),
      failed: fail,
      signed(answer) {
        say("received");
        form.elements.answer.value = JSON.stringify(answer);
        form.submit(); // calls no handler and checks no field
      },
    });
  });
  button.disabled = false;

  if (settings.life > 0) {
    countDown(form, settings, status, () => {
      if (busy) {
        return false;
      }
      over = true;
      fail("timed-out");
      return true;
    });
  }
}

// ask goes through one exchange with the component, in a window of its own. It
// must be called while a click is handled, or the window is blocked.
function ask(settings, citizen) {
  const component = settings.component;
  const popup = window.open(component + "/popupForm", "_blank", "popup,width=560,height=680");
  if (popup === null) {
    citizen.failed("popup-blocked");
    return;
  }
  const listening = new AbortController();
  let asked = false;
  let closed = false;
  const end = () => {
    clearTimeout(timer);
    clearInterval(watch);
    listening.abort();
  };
  const giveUp = (name) => {
    end();
    popup.close();
    citizen.failed(name);
  };
  let timer = setTimeout(giveUp, settings.openTimeout, "component-missing");
  const watch = setInterval(() => {
    if (closed) {
      giveUp("window-closed");
    }
    closed = popup.closed; // its answer may still be on the way for one more round
  }, 500);

  window.addEventListener("message", (event) => {
    // Another window of the component's origin is not the one that was opened,
    // and what the one that was opened shows now may be another site.
    if (event.origin !== component || event.source !== popup || typeof event.data !== "string") {
      return;
    }
    const message = parse(event.data);
    if (message.func === "getTbs" && !asked) {
      asked = true; // one request for each window
      clearTimeout(timer);
      timer = setTimeout(giveUp, settings.answerTimeout, "component-slow");
      citizen.waiting();
      popup.postMessage(escapeForm(JSON.stringify({ ...settings.request, pin: citizen.takePIN() })), component);
    } else if (message.func === "sign" && asked) {
      end();
      receive(settings, citizen, message, event.data);
    }
  }, { signal: listening.signal });
}

// receive tells a signature from a failure.
function receive(settings, citizen, message, text) {
  const code = number(text, "ret_code");
  if (code === undefined) {
    citizen.failed("card-failed");
  } else if (code !== 0) {
    const name = hex(code) === settings.loginFailed ? settings.lastErrors[hex(number(text, "last_error") ?? 0)] : settings.codes[hex(code)];
    citizen.failed(name ?? "card-failed", hex(code));
  } else if (isOlder(message.version, settings.minVersion)) {
    citizen.failed("update");
  } else {
    // Nothing else of the answer is needed, such as the number of the card.
    const { signature, certb64 } = message;
    citizen.signed({ func: "sign", ret_code: 0, last_error: 0, signature, certb64 });
  }
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

// number returns a member of 32 bits out of JSON text, as which the component
// writes them: as they are, negative, or as a negative number in 64 bits without a
// sign, which JSON.parse would round. Others must not be cut to size: that could
// make a success of them.
function number(text, name) {
  const found = text.match(new RegExp(`"${name}"\\s*:\\s*(-?\\d+)\\s*[,}]`));
  if (found === null) {
    return undefined;
  }
  const value = BigInt(found[1]);
  const fits = value >= -(2n ** 31n) && value < 2n ** 32n || value >= 2n ** 64n - 2n ** 31n && value < 2n ** 64n;
  return fits ? Number(BigInt.asUintN(32, value)) : undefined;
}

function hex(code) {
  return code.toString(16).toUpperCase().padStart(8, "0");
}

// escapeForm prepares a text for a component that puts it into form data as it is.
function escapeForm(text) {
  return text.replace(/[%&+;]/g, encodeURIComponent);
}

// isOlder compares versions part by part: 1.10 is newer than 1.9.
function isOlder(version, least) {
  if (least === "") {
    return false;
  }
  if (typeof version !== "string" || !/^\d+(\.\d+)*$/.test(version)) {
    return true;
  }
  const have = version.split(".");
  for (const [i, part] of least.split(".").entries()) {
    const difference = Number(have[i] ?? 0) - Number(part);
    if (difference !== 0) {
      return difference < 0;
    }
  }
  return false;
}

// countDown shows the time that is left, says so once when it gets short, and
// calls timeOut when it is over until that returns true.
function countDown(form, settings, status, timeOut) {
  const display = form.querySelector("[data-hipki-time]");
  const end = performance.now() + settings.life * 1000;
  let warned = false;
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    display.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
    if (left < 60 && !warned && status.textContent === "") {
      warned = true;
      status.textContent = settings.texts.minute;
    }
    if (left === 0 && timeOut()) {
      clearInterval(timer);
      form.querySelector("[data-hipki-renew]").hidden = false;
    }
  }, 1000);
}
